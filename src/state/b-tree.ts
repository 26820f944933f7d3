import sortedBtree from 'sorted-btree'

type BTreeClass = typeof sortedBtree.default

/**
 * The B+ tree of sorted-btree. The package is CommonJS with an export named `default`, which some loaders take out when it
 * is imported and Node does not.
 */
export const BTree: BTreeClass = 'default' in sortedBtree ? sortedBtree.default : (sortedBtree as BTreeClass)
export type BTree<K, V> = InstanceType<typeof sortedBtree.default<K, V>>
