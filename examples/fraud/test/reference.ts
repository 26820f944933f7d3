import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Payments by the Sparkov generator, with what independent programs found in them; beside the project, not part of it. */
const directory = fileURLToPath(new URL('../../../../shared/data/sparkov/', import.meta.url))

export const hasReference: boolean = existsSync(directory)
export const referencePayments: string = `${directory}transactions.csv.gz`

/** The lines of a table of alarms, without its head: `ts_ms,id,card,cents,observed,is_fraud`. */
export function referenceAlerts(name: string): string[] {
  return readFileSync(`${directory}ref/alert_${name}.csv`, 'utf8').trim().split('\n').slice(1)
}
