import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CalledCommands } from './called-commands.ts'

let commands: CalledCommands
beforeEach(async () => {
  commands = await CalledCommands.open()
})
afterEach(() => commands.close())

const make = (topic: string, ...more: string[]) => commands.done(['topics', '--create', '--topic', topic, ...more])

describe('millrace topics', () => {
  it('makes, lists, describes, grows and deletes topics, in the words of kafka-topics.sh', async () => {
    const made = await make(
      'orders',
      '--partitions',
      '2',
      '--replication-factor',
      '1',
      '--config',
      'retention.ms=60000',
    )
    expect(made).toBe('Created topic orders.\n')
    await make('returns')
    expect(await commands.done(['topics', '--list'])).toBe('orders\nreturns\n')
    const partition = (index: number) => `\tTopic: orders\tPartition: ${index}\tLeader: 1\tReplicas: 1\tIsr: 1\n`
    const [line, ...others] = (await commands.done(['topics', '--describe', '--topic', 'orders'])).split(/(?<=\n)/)
    expect(line).toMatch(
      /^Topic: orders\tTopicId: [\w-]{22}\tPartitionCount: 2\tReplicationFactor: 1\tConfigs: retention.ms=60000\n$/,
    )
    expect(others).toEqual([partition(0), partition(1)])
    await commands.done(['topics', '--alter', '--topic', 'orders', '--partitions', '3'])
    expect(await commands.done(['topics', '--describe'])).toContain(`PartitionCount: 3`)
    await commands.done(['topics', '--delete', '--topic', 'ord.*'])
    expect(await commands.done(['topics', '--list'])).toBe('returns\n')
  })

  it('takes several names as Kafka does, divided by commas', async () => {
    for (const topic of ['a', 'b', 'c']) await make(topic)
    expect(await commands.done(['topics', '--list', '--topic', 'a,b'])).toBe('a\nb\n')
    await commands.done(['topics', '--delete', '--topic', 'a, c'])
    expect(await commands.done(['topics', '--list'])).toBe('b\n')
  })

  it('makes a topic with its replicas named', async () => {
    await make('assigned', '--replica-assignment', '1,1')
    const described = await commands.done(['topics', '--describe', '--topic', 'assigned'])
    expect(described).toContain('PartitionCount: 2\tReplicationFactor: 1')
    const both = ['topics', '--create', '--topic', 'x', '--replica-assignment', '1', '--partitions', '1']
    expect(await commands.call(both)).toMatchObject({ code: 2, error: expect.stringContaining('Leave out') })
    const unknown = await commands.call(['topics', '--create', '--topic', 'x', '--replica-assignment', '1,9'])
    expect(unknown).toMatchObject({ code: 1 })
  })

  it('describes only topics with settings, or only partitions that something is wrong with', async () => {
    await make('plain')
    await make('set', '--config', 'retention.ms=60000')
    const describeBy = (filter: string) => commands.done(['topics', '--describe', filter])
    expect(await describeBy('--topics-with-overrides')).toMatch(
      /^Topic: set\tTopicId: .{22}\tPartitionCount: 1\tReplicationFactor: 1\tConfigs: retention.ms=60000\n$/,
    )
    expect(await describeBy('--at-min-isr-partitions')).toBe(
      ['plain', 'set'].map((topic) => `\tTopic: ${topic}\tPartition: 0\tLeader: 1\tReplicas: 1\tIsr: 1\n`).join(''),
    )
    for (const filter of ['under-replicated', 'unavailable', 'under-min-isr'])
      expect(await describeBy(`--${filter}-partitions`)).toBe('')
  })

  it('says what is wrong, what to do, and ends with 1', async () => {
    await make('orders', '--partitions', '2')
    const twice = await commands.call(['topics', '--create', '--topic', 'orders'])
    expect(twice).toMatchObject({
      code: 1,
      error: expect.stringContaining("Topic 'orders' exists already. Use --if-not"),
    })
    const missing = await commands.call(['topics', '--describe', '--topic', 'ordres'])
    expect(missing).toMatchObject({ code: 1, error: expect.stringContaining("No topic is called 'ordres'") })
    const fewer = await commands.call(['topics', '--alter', '--topic', 'orders', '--partitions', '1'])
    expect(fewer).toMatchObject({
      code: 1,
      error: expect.stringMatching(/Topic 'orders' has \d partition\(s\), and 1 would not be more/),
    })
    const nonsense = await commands.call(['topics', '--create', '--topic', 'other', '--config', 'nonsense=1'])
    expect(nonsense.code).toBe(1)
  })

  it('lets be what is well', async () => {
    await make('orders')
    expect(await make('orders', '--if-not-exists')).toBe('')
    expect(await commands.done(['topics', '--delete', '--topic', 'nobody', '--if-exists'])).toBe('')
    expect(await commands.done(['topics', '--describe', '--topic', 'nobody', '--if-exists'])).toBe('')
  })

  it('does not list what belongs to the cluster, where that is asked for', async () => {
    await make('orders')
    await commands.done(['consume', '--topic', 'orders', '--group', 'g', '--max-messages', '0', '--timeout-ms', '1'])
    expect(await commands.done(['topics', '--list'])).toBe('__consumer_offsets\norders\n')
    expect(await commands.done(['topics', '--list', '--exclude-internal'])).toBe('orders\n')
  })

  it.each([
    [[], 'One thing is done at a time. Say one of --create, --list, --describe, --alter, --delete.'],
    [['--list', '--create'], 'One thing is done at a time'],
    [['--create'], 'No topic is named'],
    [['--alter', '--topic', 'a'], 'Nothing is changed'],
    [['--create', '--topic', 'a', '--partitions', 'many'], "'many' is not a value of --partitions"],
    [['--create', '--topic', 'a', '--config', 'retention.ms'], "'retention.ms' is not NAME=VALUE"],
    [['--list', '--topic', '('], "'(' is not a regular expression"],
    [['--list', '--bootstrap-server', 'nowhere'], "'nowhere' is not HOST:PORT"],
    [['--list', '--command-config', '/nobody/has/this'], 'The file cannot be read'],
  ])('%j is refused with 2', async (words, why) => {
    const { code, error } = await commands.call(['topics', ...words])
    expect({ code, error }).toEqual({ code: 2, error: expect.stringContaining(why) })
  })

  it('says who does not answer', async () => {
    const { code, error } = await commands.call(['topics', '--list', '--bootstrap-server', '127.0.0.1:1'])
    expect(code).toBe(1)
    expect(error).toMatch(/^NETWORK_FAILED: 127\.0\.0\.1:1 does not answer.*Is a broker running there/)
  })
})
