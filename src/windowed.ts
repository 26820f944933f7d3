/** A stretch of event time in milliseconds since 1970. Time windows exclude `end`; session windows include it. */
export interface Window {
  readonly start: number
  readonly end: number
}

/** A key together with the window that a result is for. */
export interface Windowed<K> {
  readonly key: K
  readonly window: Window
}
