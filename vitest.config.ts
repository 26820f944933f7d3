import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { conditions: ['@millrace/source'] },
  ssr: { resolve: { conditions: ['@millrace/source'] } },
  test: {
    include: ['test/**/*.test.ts', 'examples/**/*.test.ts'],
    // Two cores is what continuous integration has; more workers only make timings noisy.
    maxWorkers: 2,
    testTimeout: 30_000,
  },
})
