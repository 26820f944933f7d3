import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CalledCommands } from './called-commands.ts'

let commands: CalledCommands
beforeEach(async () => {
  commands = await CalledCommands.open()
  await commands.done(['topics', '--create', '--topic', 't', '--config', 'retention.ms=60000'])
})
afterEach(() => commands.close())

const topic = ['configs', '--entity-type', 'topics', '--entity-name', 't']
const alter = (...words: string[]) => commands.done([...topic, '--alter', ...words])
const describeTopic = (...words: string[]) => commands.done([...topic, '--describe', ...words])

describe('millrace configs', () => {
  it('describes what is set, or everything, in the words of kafka-configs.sh', async () => {
    expect(await describeTopic()).toBe(
      'Dynamic configs for topic t are:\n  retention.ms=60000 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:retention.ms=60000}\n',
    )
    const all = await describeTopic('--all')
    expect(all).toMatch(/^All configs for topic t are:\n/)
    expect(all).toContain(
      '  cleanup.policy=delete sensitive=false synonyms={DEFAULT_CONFIG:log.cleanup.policy=delete}\n',
    )
  })

  it('adds and deletes settings, and leaves the others as they are', async () => {
    const done = 'Completed updating config for topic t.\n'
    expect(await alter('--add-config', 'cleanup.policy=[compact,delete],segment.ms=3600000')).toBe(done)
    const names = async () => [...(await describeTopic()).matchAll(/^ {2}(\S+)/gm)].map(([, setting]) => setting)
    expect(await names()).toEqual(['cleanup.policy=compact,delete', 'retention.ms=60000', 'segment.ms=3600000'])
    expect(await alter('--add-config', 'retention.ms=7', '--delete-config', 'segment.ms,cleanup.policy')).toBe(done)
    expect(await names()).toEqual(['retention.ms=7'])
  })

  it('changes a broker too', async () => {
    const broker = ['configs', '--entity-type', 'brokers', '--entity-name', '1']
    await commands.done([...broker, '--alter', '--add-config', 'log.retention.ms=86400000'])
    expect(await commands.done([...broker, '--describe'])).toContain('  log.retention.ms=86400000 sensitive=false')
  })

  it('tells the cluster what changes and no more, so that two at once do not undo each other', async () => {
    await Promise.all([alter('--add-config', 'segment.ms=3600000'), alter('--add-config', 'max.message.bytes=1000')])
    expect(await describeTopic()).toMatch(/max.message.bytes=1000 .*retention.ms=60000 .*segment.ms=3600000 /s)
  })

  it('knows the short names of entities, defaults of brokers, files of settings, and all of a type', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-configs-'))
    const file = join(folder, 'configs.properties')
    try {
      writeFileSync(file, 'retention.ms=1\nsegment.ms=3600000\n')
      await commands.done([
        'configs',
        '--topic',
        't',
        '--alter',
        '--add-config-file',
        file,
        '--add-config',
        'retention.ms=2',
      ])
      expect(await commands.done(['configs', '--topic', 't', '--describe'])).toMatch(
        /retention.ms=2 .*segment.ms=3600000 /s,
      )
    } finally {
      rmSync(folder, { recursive: true })
    }
    await commands.done(['configs', '--broker-defaults', '--alter', '--add-config', 'log.retention.ms=7000'])
    const byDefault = await commands.done(['configs', '--entity-type', 'brokers', '--entity-default', '--describe'])
    expect(byDefault).toMatch(/^Default configs for brokers in the cluster are:\n {2}log.retention.ms=7000 /)
    await commands.done(['topics', '--create', '--topic', 'another'])
    expect(await commands.done(['configs', '--entity-type', 'topics', '--describe'])).toMatch(
      /^Dynamic configs for topic another are:\nDynamic configs for topic t are:\n {2}retention/,
    )
  })

  it('asks for each group that there is, of which this broker keeps no settings', async () => {
    expect(await commands.done(['configs', '--entity-type', 'groups', '--describe'])).toBe('')
    await commands.done(['groups', '--reset-offsets', '--group', 'g', '--topic', 't', '--to-latest', '--execute'])
    const refusal = { code: 1, error: expect.stringContaining('resource type: 32') }
    expect(await commands.call(['configs', '--entity-type', 'groups', '--describe'])).toMatchObject(refusal)
  })

  it('sets, shows and takes away quotas of users, clients and both', async () => {
    const quotas = async (...words: string[]) => commands.done(['configs', ...words])
    await quotas('--user', 'alice', '--alter', '--add-config', 'producer_byte_rate=1024,consumer_byte_rate=512')
    const both = ['--entity-type', 'users', '--entity-name', 'alice', '--entity-type', 'clients', '--entity-default']
    await quotas(...both, '--alter', '--add-config', 'request_percentage=50.5')
    expect(await quotas('--user', 'alice', '--describe')).toBe(
      "Quota configs for user-principal 'alice' are consumer_byte_rate=512.0, producer_byte_rate=1024.0\n",
    )
    expect(await quotas(...both, '--describe')).toBe(
      "Quota configs for user-principal 'alice', the default client-id are request_percentage=50.5\n",
    )
    await quotas('--user', 'alice', '--alter', '--delete-config', 'producer_byte_rate')
    expect(await quotas('--entity-type', 'users', '--describe')).toBe(
      "Quota configs for user-principal 'alice' are consumer_byte_rate=512.0\n",
    )
    const refused = await commands.call(['configs', '--user', 'alice', '--alter', '--add-config', 'nonsense=1'])
    expect(refused.code).toBe(1)
  })

  it('gives a user a password and takes it away, and does not send it', async () => {
    const user = ['configs', '--entity-type', 'users', '--entity-name', 'alice']
    const credential = 'SCRAM-SHA-512=[iterations=8192,password=flour, sieved],SCRAM-SHA-256=[password=bran]'
    expect(await commands.done([...user, '--alter', '--add-config', credential])).toBe(
      'Completed updating config for user alice.\n',
    )
    expect(await commands.done([...user, '--describe'])).toBe(
      "SCRAM credential configs for user-principal 'alice' are SCRAM-SHA-256=iterations=4096, SCRAM-SHA-512=iterations=8192\n",
    )
    await commands.done([...user, '--alter', '--delete-config', 'SCRAM-SHA-256'])
    expect(await commands.done([...user, '--describe'])).not.toContain('SCRAM-SHA-256')
    const gone = await commands.call([...user, '--alter', '--delete-config', 'SCRAM-SHA-256'])
    expect(gone.code).toBe(1)
  })

  it('changes nothing where the cluster refuses', async () => {
    const { code, error } = await commands.call([...topic, '--alter', '--add-config', 'retention.ms=soon'])
    expect({ code, error }).toEqual({ code: 1, error: expect.stringMatching(/cluster answers: .*retention.ms/) })
    expect(await describeTopic()).toContain('retention.ms=60000')
    const missing = ['configs', '--entity-type', 'topics', '--entity-name', 'nobody', '--describe']
    expect((await commands.call(missing)).code).toBe(1)
  })

  it.each([
    [['--entity-type', 'loggers', '--entity-name', 'a', '--describe'], "'loggers' is not an entity type"],
    [['--topic', 't', '--user', 'a', '--describe'], 'do not go together'],
    [['--describe'], 'Say --entity-type'],
    [['--entity-type', 'topics', '--alter', '--add-config', 'a=1'], 'Say --entity-name'],
    [['--broker', '7', '--describe'], 'There is no broker 7'],
    [['--user', 'a', '--alter', '--add-config', 'producer_byte_rate=much'], "'much' is not a value of"],
    [['--client', 'a', '--alter', '--add-config', 'SCRAM-SHA-256=[password=b]'], 'A credential is of one user'],
    [['--user', 'a', '--alter', '--add-config', 'SCRAM-SHA-256=[iterations=1,password=b]'], 'cannot be read'],
    [['--entity-type', 'topics', '--entity-name', 't'], 'Say --describe or --alter'],
    [['--entity-type', 'topics', '--entity-name', 't', '--alter'], 'Nothing is changed'],
    [['--entity-type', 'topics', '--entity-name', 't', '--alter', '--add-config', 'a'], "'a' is not NAME=VALUE"],
    [
      ['--entity-type', 'topics', '--entity-name', 't', '--alter', '--delete-config', 'segment.ms'],
      "'segment.ms' is not set",
    ],
  ])('%j is refused with 2', async (words, why) => {
    const { code, error } = await commands.call(['configs', ...words])
    expect({ code, error }).toEqual({ code: 2, error: expect.stringContaining(why) })
  })
})
