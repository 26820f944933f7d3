import { requireNodeName } from '../topology/node-name.ts'

/**
 * Names for the nodes and stores of one builder, by Kafka Streams' rules: one counter for all of them, in ten digits. An
 * operator that the user names takes its number all the same, so that naming one does not rename those after it.
 */
export class NodeNames {
  #next = 0

  /** The given name, or the prefix with the next number; takes a number either way. */
  operator(prefix: string, given: string | undefined): string {
    const generated = `${prefix}${this.#number()}`
    if (given === undefined) return generated
    requireNodeName(given, 'operator')
    return given
  }

  /** The prefix with the next number. */
  generated(prefix: string): string {
    return `${prefix}${this.#number()}`
  }

  /** The given name, which takes no number, or the prefix with the next one: so Kafka Streams has it for `process`. */
  processor(prefix: string, given: string | undefined): string {
    if (given === undefined) return this.generated(prefix)
    requireNodeName(given, 'operator')
    return given
  }

  /** The given name, which takes no number, or one made of the prefix and the next number. */
  store(prefix: string, given: string | undefined): string {
    if (given === undefined) return `${prefix}STATE-STORE-${this.#number()}`
    requireNodeName(given, 'store')
    return given
  }

  #number(): string {
    return String(this.#next++).padStart(10, '0')
  }
}
