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

  it('changes nothing where the cluster refuses', async () => {
    const { code, error } = await commands.call([...topic, '--alter', '--add-config', 'retention.ms=soon'])
    expect({ code, error }).toEqual({ code: 1, error: expect.stringContaining('Configuration is invalid') })
    expect(await describeTopic()).toContain('retention.ms=60000')
    const missing = ['configs', '--entity-type', 'topics', '--entity-name', 'nobody', '--describe']
    expect((await commands.call(missing)).code).toBe(1)
  })

  it.each([
    [['--entity-type', 'users', '--entity-name', 'a', '--describe'], "'users' is not an entity type"],
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
