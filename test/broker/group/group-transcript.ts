import { ClassicGroup, defaultGroupSettings } from '../../../src/broker/group/classic-group.ts'
import type { GroupReply } from '../../../src/broker/group/group-event.ts'

/**
 * Plays a group from text and writes down what it does. Each line is `<ms> <what> <who> [name=value...]`:
 * `join a` (without an id yet; `id` names one, `static` an instance, `knows=id` a version that asks for known ids),
 * `sync a` (the leader hands in `a:WORK,b:WORK`), `heartbeat a`, `leave a`, `commit a`, `tick`. The time only ever grows.
 * Behind `=>` is what is answered, at once or to those who waited.
 */
export function playGroup(script: string): string {
  const group = new ClassicGroup('g', { ...defaultGroupSettings, maxMembers: 3 })
  const asked = new Map<number, string>()
  let token = 0
  const lines = script
    .trim()
    .split('\n')
    .map((line) => line.trim())
  return lines
    .map((line) => {
      const [time, what, who = '', ...rest] = line.split(/\s+/) as [string, string, string?, ...string[]]
      const options = new Map(rest.map((one) => one.split('=') as [string, string]))
      const nowMs = Number(time)
      token++
      asked.set(token, who)
      const answer = step(group, { what, who, options, nowMs, token })
      const { metadata, replies } = group.takeEffects()
      const kept =
        metadata === undefined ? [] : [`kept: generation ${metadata.generation}, ${metadata.members.length} members`]
      const said = [
        ...(answer === undefined ? [] : [answer]),
        ...kept,
        ...replies.map((reply) => describe(reply, asked)),
      ]
      return `${line} => ${said.length === 0 ? '-' : said.join('; ')} [${group.state}]`
    })
    .join('\n')
}

interface Step {
  readonly what: string
  readonly who: string
  readonly options: ReadonlyMap<string, string>
  readonly nowMs: number
  readonly token: number
}

function step(group: ClassicGroup, { what, who, options, nowMs, token }: Step): string | undefined {
  const memberId = options.get('id') ?? (what === 'join' ? '' : who)
  const instanceId = options.get('static') ?? null
  const identity = { memberId, instanceId, generation: Number(options.get('gen') ?? group.generation) }
  switch (what) {
    case 'join':
      group.join(
        {
          token,
          memberId,
          newMemberId: options.get('new') ?? who,
          instanceId,
          clientId: who,
          clientHost: '/host',
          sessionTimeoutMs: Number(options.get('session') ?? 10_000),
          rebalanceTimeoutMs: Number(options.get('rebalance') ?? 20_000),
          protocolType: options.get('type') ?? 'consumer',
          protocols: (options.get('protocols') ?? 'range').split(',').map((name) => ({
            name,
            metadata: Buffer.from(options.get('says') ?? who),
          })),
          requiresKnownMemberId: options.get('knows') === 'id',
          knowsSkipAssignment: options.get('knows') === 'skip',
        },
        nowMs,
      )
      return undefined
    case 'sync': {
      const assignments = new Map(
        (options.get('work') ?? '').split(',').map((one) => {
          const [id = '', work = ''] = one.split(':')
          return [id, Buffer.from(work)] as const
        }),
      )
      group.sync(
        { ...identity, token, protocolType: null, protocolName: options.get('protocol') ?? null, assignments },
        nowMs,
      )
      return undefined
    }
    case 'heartbeat':
      return group.heartbeat(identity, nowMs)
    case 'commit':
      return group.commitError(identity, nowMs)
    case 'leave':
      return group.leave(identity, nowMs)
    case 'tick':
      group.tick(nowMs)
      return undefined
    default:
      throw new Error(`'${what}' is not a step`)
  }
}

function describe(reply: GroupReply, asked: ReadonlyMap<number, string>): string {
  const who = asked.get(reply.token)
  if ('sync' in reply) {
    const { error, assignment } = reply.sync
    return error === 'NONE' ? `${who} works on '${assignment}'` : `${who}: ${error}`
  }
  const { error, memberId, generation, leaderId, members, skipAssignment, protocolName } = reply.join
  if (error !== 'NONE') return `${who}: ${error}${memberId === who || memberId === '' ? '' : ` as ${memberId}`}`
  const led = members.map((member) => `${member.id}(${member.metadata})`).join(' ')
  const role =
    leaderId === memberId ? `leads ${led}${skipAssignment ? ', nothing to assign' : ''}` : `follows ${leaderId}`
  return `${who} is ${memberId} in generation ${generation}, ${protocolName}, ${role}`
}
