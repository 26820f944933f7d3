/**
 * The order of Java's TreeSet, also where the order of elements changes after they were added. Kafka Streams sorts the
 * successors of a node by sizes that are still growing; which of them then come first depends on where in the red-black
 * tree each was added, so the tree is built here by the same rules (insertion as in Cormen, Leiserson and Rivest).
 */
export class JavaTreeSet<T> {
  readonly #compare: (a: T, b: T) => number
  #root: TreeNode<T> | undefined

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare
  }

  /** Adds the element where the comparison, as it is now, puts it; nothing happens where it equals one on the way. */
  add(element: T): void {
    let parent: TreeNode<T> | undefined
    let order = 0
    for (let at = this.#root; at !== undefined; at = order < 0 ? at.left : at.right) {
      order = this.#compare(element, at.element)
      if (order === 0) return
      parent = at
    }
    const node: TreeNode<T> = { element, red: true, parent, left: undefined, right: undefined }
    if (parent === undefined) this.#root = node
    else if (order < 0) parent.left = node
    else parent.right = node
    this.#balance(node)
  }

  /** The elements from left to right. */
  elements(): T[] {
    const into: T[] = []
    collect(this.#root, into)
    return into
  }

  /** Restores the rule that no red node has a red parent. */
  #balance(added: TreeNode<T>): void {
    let node = added
    for (;;) {
      let parent = node.parent
      const grandparent = parent?.parent
      if (parent === undefined || grandparent === undefined || !parent.red) break
      const parentIsLeft = parent === grandparent.left
      const uncle = parentIsLeft ? grandparent.right : grandparent.left
      if (uncle?.red === true) {
        parent.red = false
        uncle.red = false
        grandparent.red = true
        node = grandparent
        continue
      }
      if (node === (parentIsLeft ? parent.right : parent.left)) {
        this.#rotate(parent, parentIsLeft)
        node = parent
        parent = node.parent as TreeNode<T>
      }
      parent.red = false
      grandparent.red = true
      this.#rotate(grandparent, !parentIsLeft)
    }
    if (this.#root !== undefined) this.#root.red = false
  }

  /** Puts a child in the place of its parent `top`: the right child when rotating left, otherwise the left one. */
  #rotate(top: TreeNode<T>, toLeft: boolean): void {
    const risen = (toLeft ? top.right : top.left) as TreeNode<T>
    const moved = toLeft ? risen.left : risen.right
    if (toLeft) top.right = moved
    else top.left = moved
    if (moved !== undefined) moved.parent = top
    risen.parent = top.parent
    if (top.parent === undefined) this.#root = risen
    else if (top.parent.left === top) top.parent.left = risen
    else top.parent.right = risen
    if (toLeft) risen.left = top
    else risen.right = top
    top.parent = risen
  }
}

interface TreeNode<T> {
  readonly element: T
  red: boolean
  parent: TreeNode<T> | undefined
  left: TreeNode<T> | undefined
  right: TreeNode<T> | undefined
}

function collect<T>(node: TreeNode<T> | undefined, into: T[]): void {
  if (node === undefined) return
  collect(node.left, into)
  into.push(node.element)
  collect(node.right, into)
}
