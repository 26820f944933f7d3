import type { Application } from 'millrace'

/** Readings that came too late for at least one of their windows, since the application was first started. */
export function lateCountOf(app: Application): number {
  return app.metrics().drops.reduce((sum, { reason, count }) => (reason === 'late' ? sum + count : sum), 0)
}
