import { expect } from 'vitest'
import { ConsumerGroup, defaultConsumerGroupSettings } from '../../../../src/broker/group/consumer/consumer-group.ts'
import type { GroupTopics } from '../../../../src/broker/group/consumer/consumer-group-event.ts'
import {
  type PartitionSet,
  partitionListOf,
  partitionSetOf,
} from '../../../../src/broker/group/consumer/partition-set.ts'

import { assignmentAsText, subscriptionOf } from '../consumer-protocol-bytes.ts'

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

  withId(id: string): { readonly name: string } | undefined {
    const name = id.slice(0, 1)
    return this.#partitions.has(name) ? { name } : undefined
  }

  names(): Iterable<string> {
    return this.#partitions.keys()
  }
}

/** Fails where a group does not do what the transcript says, line by line: see `playConsumerGroup`. */
export function plays(sizes: Readonly<Record<string, number>>, transcript: string): void {
  const lines = transcript
    .trim()
    .split('\n')
    .map((line) => line.trim())
  expect(playConsumerGroup(sizes, lines.map((line) => line.split(' => ')[0]).join('\n'))).toBe(lines.join('\n'))
}

/**
 * Plays a group from text and writes down what it does. Each line is `<ms> <what> <who> [name=value...]`: `join a topics=t,u`
 * (or `regex=`), `beat a epoch=1 owns=t0,t1`, `leave a`, `expel a`, `tick`, `topic t=4`. `static` names an instance. Members of the
 * classic protocol `enter c topics=t owns=t0`, `sync c gen=1` and are `alive c gen=1`.
 */
function playConsumerGroup(sizes: Readonly<Record<string, number>>, script: string): string {
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
    case 'enter':
      return enter(group, who, options, nowMs)
    case 'sync': {
      const { error, assignment } = group.sync({ ...identityOf(who, options), ...noSync }, nowMs)
      return error === 'NONE' ? `has '${assignmentAsText(assignment)}'` : error
    }
    case 'alive':
      return group.classicHeartbeat(identityOf(who, options), nowMs)
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

const noSync = { protocolType: null, protocolName: null, assignments: new Map<string, Buffer>() }

function identityOf(who: string, options: Step['options']) {
  return {
    memberId: options.get('id') ?? who,
    instanceId: options.get('static') ?? null,
    generation: Number(options.get('gen')),
  }
}

function enter(group: ConsumerGroup, who: string, options: Step['options'], nowMs: number): string {
  const metadata = options.has('malformed')
    ? Buffer.from('?')
    : subscriptionOf((options.get('topics') ?? '').split(','), options.get('owns') ?? '')
  const { error, memberId, generation, protocolName, leaderId, members } = group.join(
    {
      memberId: options.get('id') ?? who,
      newMemberId: who,
      instanceId: options.get('static') ?? null,
      clientId: 'client',
      clientHost: '/host',
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 20_000,
      protocolType: options.get('type') ?? 'consumer',
      protocols: (options.get('protocols') ?? 'range').split(',').map((name) => ({ name, metadata })),
      requiresKnownMemberId: options.has('asks'),
      knowsSkipAssignment: true,
    },
    nowMs,
  )
  // Nobody leads such a group.
  expect([leaderId, members]).toEqual(['', []])
  return error === 'NONE' ? `${memberId} in ${generation} ${protocolName}` : error
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
