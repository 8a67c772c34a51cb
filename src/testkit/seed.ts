/**
 * The seed of everything that this run generates. The first line of a run prints it; `TEST_SEED=N npm test` repeats
 * that run.
 */
export const TEST_SEED = Number(process.env['TEST_SEED'] ?? 1)
