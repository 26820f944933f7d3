import type { StoreDeclaration } from '../state/store-declaration.ts'
import type { SourceNode, SubTopology } from './topology.ts'

type Nodes = Pick<SubTopology, 'nodes'>

/** The source whose topic fills the store and is its changelog (KIP-813); undefined where operators alone write the store. */
export function sourceFilling({ nodes }: Nodes, store: string): SourceNode | undefined {
  for (const node of nodes) if (node.kind === 'source' && node.fills === store) return node
  return undefined
}

/** The processor that alone writes a store which the source fills: the first that takes the source's records. */
export function processorFilling(source: SourceNode): string {
  return source.children[0]
}

/** Whether the store's updates go to a changelog topic of the application's own. */
export function hasChangelog(subTopology: Nodes, store: StoreDeclaration): boolean {
  return store.logged && sourceFilling(subTopology, store.name) === undefined
}
