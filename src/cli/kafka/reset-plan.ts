import { invalid, wholeNumber } from './client-options.ts'
import type { NewOffset } from './group-move.ts'

/** Offsets of groups as kafka-consumer-groups.sh exports them and reads them again: `[group,]topic,partition,offset`. */
export type ResetPlan = ReadonlyMap<string, readonly NewOffset[]>

/** Lines without a group are of the only one that was named. @throws MillraceError INVALID_ARGUMENT */
export function readPlan(text: string, groups: readonly string[]): ResetPlan {
  const plan = new Map<string, NewOffset[]>()
  for (const line of text.split(/\r?\n/).filter((one) => one.trim() !== '')) {
    const cells = line.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'))
    const [groupId, topic = '', partition = '', offset = ''] = cells.length === 3 ? [groups[0], ...cells] : cells
    if (groupId === undefined || cells.length < 3 || cells.length > 4 || (cells.length === 3 && groups.length !== 1))
      throw invalid(
        `'${line}' is not a line of --from-file`,
        'Write group,topic,partition,offset; one group may be left out.',
      )
    const [at, to] = [wholeNumber('--from-file', partition), wholeNumber('--from-file', offset)]
    const ofGroup = plan.get(groupId) ?? []
    plan.set(groupId, [...ofGroup, { topic, partition: at, offset: String(to) }])
  }
  return plan
}

export function planText(plan: ResetPlan): string {
  const isOne = plan.size === 1
  return [...plan]
    .flatMap(([groupId, offsets]) =>
      offsets.map(({ topic, partition, offset }) => [...(isOne ? [] : [groupId]), topic, partition, offset].join()),
    )
    .map((line) => `${line}\n`)
    .join('')
}
