import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ValueStep, type ValueStepKind } from '../../../src/dsl/operators/value-step.ts'
import { FlowRecord } from '../../../src/topology/flow-record.ts'
import type { Processor } from '../../../src/topology/processor.ts'
import { noting, number, text } from '../../topology/topology-fixtures.ts'

interface Drawn {
  readonly kind: ValueStepKind
  /** What the function returns for the value 0, 1, 2, 3. */
  readonly table: readonly unknown[]
}

const drawn: fc.Arbitrary<Drawn> = fc.oneof(
  fc.record({
    kind: fc.constant<ValueStepKind>('maps'),
    table: fc.array(fc.constantFrom(0, 1, 2, 3, undefined, null), { minLength: 4, maxLength: 4 }),
  }),
  fc.record({
    kind: fc.constantFrom<ValueStepKind>('keeps-true', 'keeps-false'),
    table: fc.array(fc.constantFrom<unknown>(true, true, 1, false, 0, undefined), { minLength: 4, maxLength: 4 }),
  }),
  fc.record({ kind: fc.constant<ValueStepKind>('looks'), table: fc.constant([7, 7, 7, 7]) }),
)

describe('ValueStep', () => {
  it('gives each function what the one before it made, and hands on what comes out of the last', () => {
    fc.assert(
      fc.property(fc.array(drawn, { minLength: 1, maxLength: 8 }), fc.nat(3), (steps, input) => {
        const calls: string[] = []
        const { first, seen } = wired(
          steps.map(({ kind, table }, at) => [
            kind,
            (value, key) => {
              calls.push(`${at}: ${key} ${value}`)
              return table[(value ?? 0) as number]
            },
          ]),
        )
        const record = encoded(input)
        first.process(record)

        let value: unknown = input
        let isKept = true
        const expected: string[] = []
        for (const [at, { kind, table }] of steps.entries()) {
          if (!isKept) break
          expected.push(`${at}: k ${value}`)
          const made = table[(value ?? 0) as number]
          if (kind === 'maps') value = made ?? null
          else if (kind !== 'looks') isKept = Boolean(made) === (kind === 'keeps-true')
        }
        expect(calls).toEqual(expected)
        expect(seen).toEqual(isKept ? [{ key: 'k', value, timestamp: 7 }] : [])
        // Siblings see the record as it was.
        expect(record.value()).toBe(input)
        expect(record.valueStart).toBe(1)
      }),
    )
  })

  it('leaves the bytes of a value that nobody changed', () => {
    const starts: number[] = []
    const end: Processor = { process: (record) => void starts.push(record.valueStart) }
    const steps = [new ValueStep('looks', () => undefined), new ValueStep('keeps-true', () => true)]
    wire(steps, end).process(encoded(1))
    expect(starts).toEqual([1])
  })

  it('names the step whose function failed, and decodes no key for others', () => {
    const fail = () => {
      throw new Error('no')
    }
    const { first } = wired([
      ['maps', (value) => value],
      ['looks', (value) => value],
      ['maps', fail],
      ['looks', (_value, key) => key],
    ])
    const record = encoded(1)
    record.keySerde = {
      ...text,
      read: () => {
        throw new Error('decoded the key')
      },
    }
    expect(() => first.process(record)).toThrow('no')
    expect(record.operator).toBe('step-2')
    expect(record.value()).toBe(1)
  })

  it('runs from wherever it is entered', () => {
    const steps = [new ValueStep('maps', (value) => `${value}a`), new ValueStep('maps', (value) => `${value}b`)]
    const { context, seen } = noting('end')
    wire(steps, context.output)
    for (const step of [steps[1], steps[0], steps[1]]) step?.process(encoded(1))
    expect(seen.map(({ value }) => value)).toEqual(['1b', '1ab', '1b'])
  })
})

type Callback = ConstructorParameters<typeof ValueStep>[1]

function wired(
  steps: readonly (readonly [ValueStepKind, Callback])[],
): ReturnType<typeof noting> & { first: Processor } {
  const notes = noting('end')
  const first = wire(
    steps.map(([kind, callback]) => new ValueStep(kind, callback)),
    notes.context.output,
  )
  return { ...notes, first }
}

/** In the order of the graph, which initialises parents first. */
function wire(steps: readonly ValueStep[], end: Processor): Processor {
  for (const [at, step] of steps.entries()) {
    step.init({ ...noting(`step-${at}`).context, output: steps[at + 1] ?? end })
  }
  return steps[0] as Processor
}

function encoded(value: number): FlowRecord {
  const bytes = Buffer.alloc(9)
  bytes.write('k')
  bytes.writeDoubleBE(value, 1)
  const record = new FlowRecord()
  record.timestamp = 7
  record.loadKey(bytes, 0, 1, text)
  record.loadValue(bytes, 1, 9, number)
  return record
}
