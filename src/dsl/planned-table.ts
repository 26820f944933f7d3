import { MillraceError } from '../errors.ts'
import type { Serde } from '../serde/serde.ts'
import { sessionWindowedSerde, timeWindowedSerde } from '../serde/windowed-serde.ts'
import { requireNodeName } from '../topology/node-name.ts'
import type { OperatorOptions } from './operator-options.ts'
import { tableToStream } from './operators/stateless.ts'
import { suppressUntilWindowCloses } from './operators/suppress.ts'
import type { ProcessorPlan, TableState } from './plan.ts'
import { declareSuppressStore } from './store-declarations.ts'
import type { KStream, KTable, SuppressedFor } from './streams.ts'

export class PlannedTable<K, V> implements KTable<K, V> {
  readonly #state: TableState

  constructor(state: TableState) {
    this.#state = state
  }

  suppress(_suppressed: SuppressedFor<K>, options: OperatorOptions = {}): KTable<K, V> {
    const state = this.#state
    const { plan, key, value, shape, engine } = state
    if (shape === undefined) {
      throw new MillraceError('INVALID_TOPOLOGY', 'Only the results of windows can wait for their windows to close', {
        at: { operator: state.node.name },
        remedy: 'Call windowedBy before the aggregation, or leave suppress out.',
      })
    }
    // Unlike other operators this one takes no numbers when it is named.
    if (options.name !== undefined) requireNodeName(options.name, 'operator')
    const name = options.name ?? plan.names.generated('KTABLE-SUPPRESS-')
    const store = options.name === undefined ? plan.names.store('KTABLE-SUPPRESS-', undefined) : `${name}-store`
    const node = plan.add<ProcessorPlan>(
      {
        kind: 'processor',
        name,
        create: suppressUntilWindowCloses({ store, graceMs: shape.closesAfterMs }),
        stores: [declareSuppressStore({ name: store, key, value, engine })],
        lateChild: undefined,
      },
      [state.node],
    )
    return new PlannedTable<K, V>({ ...state, node })
  }

  toStream(options: OperatorOptions = {}): KStream<K, V> {
    const { plan, node, value } = this.#state
    const name = plan.names.operator('KTABLE-TOSTREAM-', options.name)
    return plan.openStream({
      plan,
      node: plan.addProcessor(name, tableToStream, [node]),
      key: { serde: keySerde(this.#state), madeBy: name },
      value: { serde: value, madeBy: name },
      keyChanged: false,
    })
  }
}

/** The serde of the keys as the table hands them on: in their windows, where it has some. */
function keySerde({ key, shape }: TableState): Serde<unknown> {
  if (shape === undefined) return key
  return shape.kind === 'session' ? sessionWindowedSerde(key) : timeWindowedSerde(key, { size: shape.sizeMs })
}
