import { ConsumerGroup, defaultConsumerGroupSettings } from '../../../../src/broker/group/consumer/consumer-group.ts'
import type { GroupTopics } from '../../../../src/broker/group/consumer/consumer-group-event.ts'
import {
  type PartitionSet,
  partitionListOf,
  partitionSetOf,
} from '../../../../src/broker/group/consumer/partition-set.ts'

/** Topics of one letter, which their ids begin with, with so many partitions each. */
export class LetterTopics implements GroupTopics {
  readonly #partitions = new Map<string, number>()
  version = 0

  constructor(sizes: Readonly<Record<string, number>>) {
    for (const [name, partitions] of Object.entries(sizes)) this.set(name, partitions)
  }

  set(name: string, partitions: number): void {
    this.#partitions.set(name, partitions)
    this.version++
  }

  get(name: string): { readonly id: string; readonly partitions: number } | undefined {
    const partitions = this.#partitions.get(name)
    return partitions === undefined ? undefined : { id: idOf(name), partitions }
  }

  names(): Iterable<string> {
    return this.#partitions.keys()
  }
}

/**
 * Plays a group from text and writes down what it does. Each line is `<ms> <what> <who> [name=value...]`: `join a topics=t,u`
 * (or `regex=`), `beat a epoch=1 owns=t0,t1`, `leave a`, `expel a`, `tick`, `topic t=4`. `static` names an instance.
 */
export function playConsumerGroup(sizes: Readonly<Record<string, number>>, script: string): string {
  const topics = new LetterTopics(sizes)
  const group = new ConsumerGroup('g', { ...defaultConsumerGroupSettings, consumerMaxMembers: 3 }, topics)
  const lines = script
    .trim()
    .split('\n')
    .map((line) => line.trim())
  return lines
    .map((line) => {
      const [time, what, who = '', ...rest] = line.split(/\s+/) as [string, string, string?, ...string[]]
      const options = new Map(rest.map((one) => one.split('=') as [string, string]))
      const answer = step({ group, topics, what, who, options, nowMs: Number(time) })
      const kept = group.state.takeChanges().length > 0 ? ' kept' : ''
      const { epoch, targetEpoch } = group.state
      return `${line} => ${answer} [${group.stateName} ${epoch}/${targetEpoch}${kept}]`
    })
    .join('\n')
}

interface Step {
  readonly group: ConsumerGroup
  readonly topics: LetterTopics
  readonly what: string
  readonly who: string
  readonly options: ReadonlyMap<string, string>
  readonly nowMs: number
}

function step({ group, topics, what, who, options, nowMs }: Step): string {
  const instanceId = options.get('static') ?? null
  switch (what) {
    case 'join':
    case 'beat':
    case 'leave': {
      const isJoining = what === 'join'
      const owns = options.get('owns')
      const names = options.get('topics')
      const { error, memberId, memberEpoch, assigned } = group.heartbeat(
        {
          memberId: options.get('id') ?? who,
          newMemberId: who,
          memberEpoch: isJoining ? 0 : Number(options.get('epoch') ?? (what === 'leave' ? -1 : 0)),
          instanceId,
          rackId: null,
          clientId: 'client',
          clientHost: '/host',
          rebalanceTimeoutMs: isJoining ? 20_000 : -1,
          topicNames: names === undefined ? null : names.split(',').filter((name) => name !== ''),
          topicRegex: options.get('regex') ?? null,
          assignor: options.get('assignor') ?? null,
          owned: isJoining ? partitionSetOf([]) : owns === undefined ? null : parsePartitions(owns),
        },
        nowMs,
      )
      if (error !== 'NONE') return error
      return `${memberId} in ${memberEpoch}${assigned === null ? '' : ` has '${partitionsAsText(assigned)}'`}`
    }
    case 'expel':
      return group.expel(options.get('id') ?? who, instanceId)
    case 'commit':
      return group.epochError(who, Number(options.get('epoch')))
    case 'tick':
      group.tick(nowMs)
      return [...group.state.members()].map(({ id }) => id).join(' ')
    case 'topic':
      topics.set(who.slice(0, 1), Number(who.slice(2)))
      return 'there'
    default:
      throw new Error(`'${what}' is not a step`)
  }
}

export function parsePartitions(text: string): PartitionSet {
  const names = text.split(',').filter((name) => name !== '')
  return partitionSetOf(names.map((name) => ({ topicId: idOf(name.slice(0, 1)), partitions: [Number(name.slice(1))] })))
}

export function partitionsAsText(partitions: PartitionSet): string {
  return partitionListOf(partitions)
    .flatMap(({ topicId, partitions: all }) => all.map((partition) => topicId.slice(0, 1) + partition))
    .sort()
    .join(',')
}

function idOf(letter: string): string {
  return letter.padEnd(22, 'A')
}
