/** When this many objects of a class were made, V8 settles how much room all later ones have in themselves. */
const settledAfter = 7

/**
 * Settles the shape of a class with many fields while objects of it are alive. V8 goes by what it sees when the seventh object is
 * made: where the garbage collector has taken all earlier ones by then, it takes the class to need no room, and every later
 * object of the process is a hash table of its fields, five times slower to work with. So a class whose objects are made
 * for a short while, and read or written for each record, makes its first ones when it is loaded.
 */
export function settleShape(make: () => object): void {
  const alive: object[] = []
  while (alive.length <= settledAfter) alive.push(make())
}
