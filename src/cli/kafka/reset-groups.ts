import type { Admin } from 'kafkajs'
import type { Environment } from '../../env/environment.ts'
import { MillraceError } from '../../errors.ts'
import { readTextFile } from '../text-file.ts'
import { invalid } from './client-options.ts'
import type { ChosenTopics } from './delete-offsets.ts'
import type { NewOffset } from './group-move.ts'
import { type PartitionRange, type ResetOptions, resetTarget } from './offset-reset.ts'
import { type ResetPlan, readPlan } from './reset-plan.ts'

export interface PlanOptions extends ResetOptions {
  readonly fromFile?: string
  readonly topic: readonly string[]
  readonly allTopics?: true
}

/** Where groups are to go on: as a file says, or by rules for the topics that are named. */
export async function resetPlan(
  environment: Environment,
  admin: Admin,
  options: PlanOptions,
  groups: readonly string[],
): Promise<ResetPlan> {
  if (options.fromFile !== undefined) {
    const plan = readPlan(readTextFile(environment.disk, options.fromFile), groups)
    const other = [...plan.keys()].find((groupId) => !groups.includes(groupId))
    if (other !== undefined) throw invalid(`The file moves '${other}' too`, `Say --group ${other}, or take it away.`)
    return plan
  }
  const target = resetTarget(options, environment.clock)
  const plan = new Map<string, NewOffset[]>()
  for (const groupId of groups) {
    const offsets: NewOffset[] = []
    for (const [topic, only] of await topicsToReset(admin, options, groupId)) {
      const ranges = await rangesOf(admin, groupId, topic, only)
      const found = await target(admin, topic, ranges)
      offsets.push(...ranges.map(({ partition }, i) => ({ topic, partition, offset: String(found[i]) })))
    }
    plan.set(groupId, offsets)
  }
  return plan
}

/** `a`, or `a:0,1`. @throws MillraceError INVALID_ARGUMENT where there are none */
export function topicsNamed(names: readonly string[], remedy: string): ChosenTopics {
  if (names.length === 0) throw invalid('No topic is named', remedy)
  return new Map(
    names.map((text) => {
      const [, topic = text, partitions] = /^(.*):(\d+(?:,\d+)*)$/.exec(text) ?? []
      return [topic, partitions?.split(',').map(Number)]
    }),
  )
}

async function topicsToReset(admin: Admin, { topic, allTopics }: PlanOptions, groupId: string): Promise<ChosenTopics> {
  if (allTopics !== true) return topicsNamed(topic, 'Say --topic or --all-topics.')
  const committed = await admin.fetchOffsets({ groupId })
  return new Map(committed.map((one) => [one.topic, undefined]))
}

async function rangesOf(
  admin: Admin,
  groupId: string,
  topic: string,
  only: readonly number[] | undefined,
): Promise<PartitionRange[]> {
  const ends = await admin.fetchTopicOffsets(topic)
  const missing = only?.find((partition) => !ends.some((end) => end.partition === partition))
  if (missing !== undefined) {
    throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', 'There is no such partition', {
      at: { topic, partition: missing },
    })
  }
  const [committed] = await admin.fetchOffsets({ groupId, topics: [topic] })
  const of = (partition: number) => committed?.partitions.find((one) => one.partition === partition)?.offset ?? '-1'
  return ends
    .filter(({ partition }) => only?.includes(partition) !== false)
    .map(({ partition, low, high }) => ({
      partition,
      low: Number(low),
      high: Number(high),
      committed: Number(of(partition)),
    }))
    .sort((a, b) => a.partition - b.partition)
}
