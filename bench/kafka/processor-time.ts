import { readFileSync } from 'node:fs'

/** Linux counts the time of processes in hundredths of a second, whatever its own ticks are (`getconf CLK_TCK`). */
const ticksPerSecond = 100

/** The processor time that a process has used so far, in seconds, of the system's work for it too; undefined where /proc is not there. */
export function processorSeconds(processId: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, 'utf8')
    // The name, in brackets, may have spaces in it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  } catch {
    return undefined
  }
}
