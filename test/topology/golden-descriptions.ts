import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Descriptions that Kafka Streams printed, kept beside the project and not in it. */
export interface GoldenDescription {
  readonly title: string
  /** The description, or undefined where Kafka Streams refused the topology. */
  readonly text: string | undefined
  /** Names of internal topics for the application id `app`, where they were recorded. */
  readonly topics: readonly string[] | undefined
}

const path = fileURLToPath(new URL('../../../shared/golden/describe.txt', import.meta.url))

export const goldenMissing: string | undefined = existsSync(path) ? undefined : 'no ../shared/golden/describe.txt'

export function readGoldenDescriptions(): GoldenDescription[] {
  if (goldenMissing !== undefined) return []
  return readFileSync(path, 'utf8')
    .split(/^### /m)
    .slice(1)
    .map((block) => {
      const title = block.slice(0, block.indexOf('\n')).trim()
      const text = /Topologies:\n.*?(?=internal\+changelog|branch map keys|$)/s.exec(block)?.[0]
      const topics = /^internal\+changelog topics \(application\.id=app\): \[(.*)\]$/m.exec(block)?.[1]
      return { title, text, topics: topics?.split(', ').filter((name) => name !== '') }
    })
}
