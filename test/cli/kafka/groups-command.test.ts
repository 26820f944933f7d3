import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CalledCommands } from './called-commands.ts'

let commands: CalledCommands
beforeEach(async () => {
  commands = await CalledCommands.open()
})
afterEach(() => commands.close())

const groups = (...words: string[]) => commands.done(['groups', ...words])
/** Cells of a table, without how wide they are. */
const rows = (table: string) =>
  table
    .trim()
    .split('\n')
    .map((row) => row.split(/ +/))

/** A group that has read three of five records. */
async function readSome(topic = 't', group = 'g'): Promise<void> {
  await commands.done(['produce', '--topic', topic], ['0\n1\n2\n3\n4\n'])
  await commands.done(['consume', '--topic', topic, '--group', group, '--from-beginning', '--max-messages', '3'])
}

async function positionOf(group: string): Promise<string[][]> {
  const [, ...found] = rows(await groups('--describe', '--group', group))
  return found.map(([, topic = '', partition = '', offset = '', end = '', lag = '']) => [
    topic,
    partition,
    offset,
    end,
    lag,
  ])
}

describe('millrace groups', () => {
  it('lists and describes groups, in the words of kafka-consumer-groups.sh', async () => {
    await readSome()
    expect(await groups('--list')).toBe('g\n')
    expect(rows(await groups('--list', '--state'))).toEqual([
      ['GROUP', 'STATE'],
      ['g', 'Empty'],
    ])
    const { out, error } = await commands.call(['groups', '--describe', '--group', 'g'])
    expect(error).toBe("Consumer group 'g' has no active members.\n")
    expect(rows(out)).toEqual([
      ['GROUP', 'TOPIC', 'PARTITION', 'CURRENT-OFFSET', 'LOG-END-OFFSET', 'LAG', 'CONSUMER-ID', 'HOST', 'CLIENT-ID'],
      ['g', 't', '0', '3', '5', '2', '-', '-', '-'],
    ])
    expect(rows(await groups('--describe', '--all-groups', '--state'))).toEqual([
      ['GROUP', 'ASSIGNMENT-STRATEGY', 'STATE', '#MEMBERS'],
      ['g', '-', 'Empty', '0'],
    ])
  })

  it('shows who is in a group, and with which partitions', async () => {
    await commands.done(['produce', '--topic', 't'], ['0\n'])
    let seen: string[] = []
    const reading = commands.call(['consume', '--topic', 't', '--group', 'g', '--from-beginning'], (host) => {
      host.print = async () => {
        seen = [
          await groups('--describe', '--group', 'g', '--members', '--verbose'),
          await groups('--describe', '--group', 'g'),
        ]
        return false
      }
    })
    await reading
    const [members = '', offsets = ''] = seen
    expect(rows(members)).toEqual([
      ['GROUP', 'CONSUMER-ID', 'HOST', 'CLIENT-ID', '#PARTITIONS', 'ASSIGNMENT'],
      ['g', expect.stringMatching(/^millrace-cli-/), expect.any(String), 'millrace-cli', '1', 't(0)'],
    ])
    expect(rows(offsets)[1]).toEqual(['g', 't', '0', '-', '1', '-', ...(rows(members)[1] as string[]).slice(1, 4)])
  })

  it.each([
    [['--to-earliest'], '0'],
    [['--to-latest'], '5'],
    [['--to-current'], '3'],
    [['--to-offset', '1'], '1'],
    [['--to-offset', '100'], '5'],
    [['--shift-by', '-1'], '2'],
    [['--shift-by', '1'], '4'],
    [['--shift-by', '-100'], '0'],
    [['--by-duration', 'P1DT2H3M4.5S'], '0'],
    [['--by-duration', 'PT0S'], '5'],
    [['--to-datetime', '2020-01-01T00:00:00.000'], '0'],
    [['--to-datetime', '2200-01-01T00:00:00+01:00'], '5'],
  ])('moves a group %j', async (words, offset) => {
    await readSome()
    const reset = ['--reset-offsets', '--group', 'g', '--topic', 't', ...words]
    const shown = [
      ['GROUP', 'TOPIC', 'PARTITION', 'NEW-OFFSET'],
      ['g', 't', '0', offset],
    ]
    expect(rows(await groups(...reset, '--dry-run'))).toEqual(shown)
    expect(await positionOf('g')).toEqual([['t', '0', '3', '5', '2']])
    expect(rows(await groups(...reset, '--execute'))).toEqual(shown)
    expect(await positionOf('g')).toEqual([['t', '0', offset, '5', String(5 - Number(offset))]])
  })

  it('moves all topics of a group, or some partitions of one', async () => {
    await readSome('t')
    await readSome('u')
    await groups('--reset-offsets', '--group', 'g', '--all-topics', '--to-latest', '--execute')
    const at = (topic: string, offset: number) => [topic, '0', String(offset), '5', String(5 - offset)]
    expect(await positionOf('g')).toEqual([at('t', 5), at('u', 5)])
    await groups('--reset-offsets', '--group', 'g', '--topic', 'u:0', '--to-earliest', '--execute')
    expect(await positionOf('g')).toEqual([at('t', 5), at('u', 0)])
    const missing = ['groups', '--reset-offsets', '--group', 'g', '--topic', 'u:0,7', '--to-earliest', '--execute']
    expect(await commands.call(missing)).toMatchObject({
      code: 1,
      error: expect.stringContaining('(topic u, partition 7)'),
    })
  })

  it('says that it changes nothing where it is not told to', async () => {
    await readSome()
    const { error } = await commands.call(['groups', '--reset-offsets', '--group', 'g', '--topic', 't', '--to-latest'])
    expect(error).toBe('Nothing is changed: --execute does what is shown here.\n')
    const nowhere = ['groups', '--reset-offsets', '--group', 'other', '--topic', 't', '--shift-by', '1']
    expect(await commands.call(nowhere)).toMatchObject({
      code: 1,
      error: expect.stringContaining('no offset to shift'),
    })
  })

  it('deletes groups that have no members', async () => {
    await readSome()
    expect(await groups('--delete', '--group', 'g')).toBe(
      "Deletion of requested consumer groups ('g') was successful.\n",
    )
    expect(await groups('--list')).toBe('')
    const again = await commands.call(['groups', '--delete', '--group', 'g'])
    expect(again).toMatchObject({ code: 1, error: expect.stringContaining('The group id was not found') })
    const described = await commands.call(['groups', '--describe', '--group', 'g'])
    expect(described).toMatchObject({ code: 1, error: expect.stringContaining("Consumer group 'g' does not exist") })
  })

  it('does not move or delete a group that reads', async () => {
    await commands.done(['produce', '--topic', 't'], ['0\n'])
    const refusals: { code: number | undefined; error: string }[] = []
    await commands.call(['consume', '--topic', 't', '--group', 'g', '--from-beginning'], (host) => {
      host.print = async () => {
        const reset = ['--reset-offsets', '--group', 'g', '--topic', 't', '--to-latest', '--execute']
        refusals.push(
          await commands.call(['groups', ...reset]),
          await commands.call(['groups', '--delete', '--group', 'g']),
        )
        return false
      }
    })
    expect(refusals).toMatchObject([
      { code: 1, error: expect.stringMatching(/Stop its members first/) },
      { code: 1, error: expect.stringMatching(/not empty.*Stop its members first/) },
    ])
  })

  it.each([
    [[], 'One thing is done at a time'],
    [['--describe'], 'No group is named'],
    [['--reset-offsets', '--group', 'g', '--topic', 't'], 'No place is named'],
    [
      ['--reset-offsets', '--group', 'g', '--topic', 't', '--to-latest', '--to-earliest'],
      'More than one place is named',
    ],
    [['--reset-offsets', '--group', 'g', '--to-latest'], 'No topic is named'],
    [['--reset-offsets', '--group', 'g', '--topic', 't', '--by-duration', 'P1Y'], "'P1Y' is not a duration"],
    [['--reset-offsets', '--group', 'g', '--topic', 't', '--by-duration', 'PT'], "'PT' is not a duration"],
    [['--reset-offsets', '--group', 'g', '--topic', 't', '--to-datetime', 'noon'], "'noon' is not a time"],
    [['--reset-offsets', '--group', 'g', '--topic', 't', '--to-offset', '-1'], "'-1' is not a value of --to-offset"],
  ])('%j is refused with 2', async (words, why) => {
    const { code, error } = await commands.call(['groups', ...words])
    expect({ code, error }).toEqual({ code: 2, error: expect.stringContaining(why) })
  })
})
