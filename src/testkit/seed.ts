/**
 * The seed of everything that this run generates. The first line of a run prints it; `USHER_TEST_SEED=N npm test` repeats
 * that run.
 */
export const TEST_SEED = Number(process.env['USHER_TEST_SEED'] ?? 1)
