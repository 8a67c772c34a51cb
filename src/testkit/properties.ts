import fc from 'fast-check'
import { TEST_SEED } from './seed.ts'

// Every property of a run draws from the seed that the run prints.
fc.configureGlobal({ seed: TEST_SEED })

export default fc
