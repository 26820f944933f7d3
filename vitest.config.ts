import { defineConfig } from 'vitest/config'

const isContinuousIntegration = process.env.CI !== undefined

export default defineConfig({
  resolve: { conditions: ['@millrace/source'] },
  ssr: { resolve: { conditions: ['@millrace/source'] } },
  test: {
    include: ['test/**/*.test.ts', 'examples/**/*.test.ts'],
    // Two cores is what continuous integration has; more workers only make timings noisy.
    maxWorkers: 2,
    testTimeout: 60_000,
    reporters: isContinuousIntegration
      ? ['default', ['json', { outputFile: 'node_modules/.test-report.json' }]]
      : ['default'],
  },
})
