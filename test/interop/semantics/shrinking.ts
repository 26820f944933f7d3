import type { Case, CaseEvent, CaseNode } from './case.ts'

/**
 * The smallest case found in which something still differs: events are taken away, then operators, as long as any can be.
 * Where an operator goes, what followed it follows what it followed, if that has the same shape and formats.
 */
export async function shrink(given: Case, differs: (candidate: Case) => Promise<boolean>): Promise<Case> {
  let smallest = given
  for (let isShrinking = true; isShrinking; ) {
    isShrinking = false
    for (const candidates of [withoutEvents, withoutNodes, withoutParameters]) {
      for (const candidate of candidates(smallest)) {
        if (!(await differs(candidate))) continue
        smallest = candidate
        isShrinking = true
        break
      }
      if (isShrinking) break
    }
  }
  return smallest
}

/** Halves first, then single events. */
function* withoutEvents(given: Case): Generator<Case> {
  const { events } = given
  for (let size = Math.ceil(events.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let start = 0; start < events.length; start += size) {
      yield { ...given, events: events.filter((_, i) => i < start || i >= start + size) }
    }
  }
  for (const [place, event] of events.entries()) {
    if (!('batch' in event) || event.batch.length === 1) continue
    for (const left of event.batch) {
      yield { ...given, events: events.with(place, { batch: event.batch.filter((each) => each !== left) }) }
    }
  }
}

function* withoutNodes(given: Case): Generator<Case> {
  for (const node of given.nodes) {
    const rest = given.nodes.filter((other) => other !== node)
    const followers = rest.filter((other) => other.of.includes(node.id))
    if (followers.length === 0) {
      yield withNodes(given, rest)
      continue
    }
    const input = given.nodes.find((other) => other.id === node.of[0])
    // Without it the windows would be kept much longer than they are open.
    const canBeLeftOut = node.op !== 'emitOnClose'
    if (
      canBeLeftOut &&
      input !== undefined &&
      input.is === node.is &&
      input.key === node.key &&
      input.value === node.value
    ) {
      yield withNodes(
        given,
        rest.map((other) => ({ ...other, of: other.of.map((id) => (id === node.id ? input.id : id)) })),
      )
    }
    // Or with everything that follows it.
    yield withNodes(
      given,
      rest.filter((other) => !followsFrom(other, node.id, given.nodes)),
    )
  }
}

function followsFrom(node: CaseNode, id: string, nodes: readonly CaseNode[]): boolean {
  return node.of.some((input) => {
    const found = nodes.find((other) => other.id === input)
    return input === id || (found !== undefined && followsFrom(found, id, nodes))
  })
}

/** Only events of topics that are still read stay. */
function withNodes(given: Case, nodes: readonly CaseNode[]): Case {
  const topics = new Set(
    nodes.flatMap((node) => [node.topic as string, ...((node.topics as string[] | undefined) ?? [])]),
  )
  const events = given.events.flatMap((event): CaseEvent[] => {
    if (!('batch' in event)) return !('topic' in event) || topics.has(event.topic) ? [event] : []
    const batch = event.batch.filter((each) => topics.has(each.topic))
    return batch.length === 0 ? [] : [{ batch }]
  })
  return { ...given, nodes, events }
}

/** Operators without their names and stores. */
function* withoutParameters(given: Case): Generator<Case> {
  for (const [place, node] of given.nodes.entries()) {
    for (const parameter of ['name', 'store', 'thisStore', 'otherStore']) {
      if (node[parameter] === undefined) continue
      const { [parameter]: _, ...rest } = node
      yield { ...given, nodes: given.nodes.with(place, rest as CaseNode) }
    }
  }
}
