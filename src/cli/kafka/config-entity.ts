/** What has settings: one thing, or a user with a client. */
export interface Entity {
  readonly type: string
  /** Null is the default of all; undefined is each of them. */
  readonly name: string | null | undefined
}

export interface Changes {
  readonly set: ReadonlyMap<string, string>
  readonly unset: readonly string[]
}

export type Say = (text: string) => void

export function entityText({ type, name }: Entity): string {
  return name === null ? `default ${type}` : `${type.replace(/s$/, '')} ${name}`
}
