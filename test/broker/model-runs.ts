/** How many runs a model makes: `npm run test:model -- --runs N` sets them for all. */
export function modelRuns(usual: number): number {
  return Number(process.env.MODEL_RUNS ?? usual)
}
