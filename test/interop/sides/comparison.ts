import type { Step } from './side.ts'

export interface Difference {
  readonly step: string
  /** `topics.0.errorCode` */
  readonly place: string
  readonly ours: string
  readonly theirs: string
}

/** Every place in which the answers to the same question differ. */
export function differencesOf(ours: readonly Step[], theirs: readonly Step[]): Difference[] {
  return ours.flatMap(({ label, answer }, i) => compare(label, '', answer, theirs[i]?.answer))
}

function compare(step: string, place: string, ours: unknown, theirs: unknown): Difference[] {
  if (Array.isArray(ours) && Array.isArray(theirs)) return compare(step, place, byName(ours), byName(theirs))
  if (isStructure(ours) && isStructure(theirs)) {
    const names = new Set([...Object.keys(ours), ...Object.keys(theirs)])
    const at = (name: string) => (place === '' ? name : `${place}.${name}`)
    return [...names].flatMap((name) => compare(step, at(name), ours[name], theirs[name]))
  }
  const [left, right] = [textOf(ours), textOf(theirs)]
  return left === right ? [] : [{ step, place, ours: left, theirs: right }]
}

const namesOfElements = [
  'name',
  'topic',
  'topicName',
  'groupId',
  'transactionalId',
  'resourceName',
  'partitionIndex',
  'index',
  'partition',
  'offset',
]

/** The elements by what tells them apart, so that one more does not make all behind it differ; otherwise by their place. */
function byName(elements: readonly unknown[]): Readonly<Record<string, unknown>> {
  const named = elements.map((one, i): [string, unknown] => {
    const name = isStructure(one) ? namesOfElements.find((field) => field in one) : undefined
    return [name === undefined ? String(i) : String((one as Readonly<Record<string, unknown>>)[name]), one]
  })
  return new Set(named.map(([name]) => name)).size === named.length ? Object.fromEntries(named) : { ...elements }
}

function isStructure(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function textOf(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 200 ? `${text.slice(0, 197)}...` : text
}
