import { MillraceError } from '../errors.ts'

/** Settings by Kafka's names. */
export type Config = ReadonlyMap<string, string>

/** The settings as they are for one listener. */
export class ListenerConfig {
  readonly #config: Config
  readonly #prefix: string

  constructor(config: Config, listener: string) {
    this.#config = config
    this.#prefix = `listener.name.${listener.toLowerCase()}.`
  }

  get(name: string): string | undefined {
    return this.#config.get(this.#prefix + name) ?? this.#config.get(name)
  }

  /** @throws MillraceError INVALID_ARGUMENT where it is not set */
  require(name: string, wanted: string): string {
    const value = this.get(name)
    if (value !== undefined) return value
    throw new MillraceError('INVALID_ARGUMENT', `${name} is missing`, { remedy: wanted })
  }
}

/** The parts of a setting that is a list. */
export function listOf(text = ''): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}
