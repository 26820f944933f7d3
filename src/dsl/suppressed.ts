/** What a table holds back. After Kafka Streams' Suppressed. */
export interface Suppressed {
  readonly until: 'window-closes'
}

/**
 * Holds back the results of a window until it takes no more records: one final result per window and key. A window closes
 * when event time, as the table's own partition sees it, is past its end and grace: results wait until later records come.
 */
export function untilWindowCloses(): Suppressed {
  return { until: 'window-closes' }
}
