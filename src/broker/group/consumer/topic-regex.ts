import type { RE2JS } from 're2js'
import { compileClientPattern } from '../../client-pattern.ts'

/**
 * Whether names of topics match, as a whole, an expression in RE2's syntax, which is what Kafka has for subscriptions: its
 * time is linear in the name, so that no expression of a client can hold the broker up.
 */
export class TopicRegex {
  readonly #pattern: RE2JS

  private constructor(pattern: RE2JS) {
    this.#pattern = pattern
  }

  /** Undefined where it is not an expression, or one that takes too long to look at a name. */
  static compile(expression: string): TopicRegex | undefined {
    const pattern = compileClientPattern(expression)
    return pattern && new TopicRegex(pattern)
  }

  matches(topic: string): boolean {
    return this.#pattern.matches(topic)
  }
}
