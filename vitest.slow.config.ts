import { defineConfig, mergeConfig } from 'vitest/config'
import base from './vitest.config.ts'

/** Long faults, fuzz, soak and peers: `npm run test:slow`. */
const config = mergeConfig(base, defineConfig({ test: { testTimeout: 1_800_000, maxWorkers: 1 } }))
config.test!.include = ['{libs,test}/**/*.slow.test.ts']
config.test!.exclude = ['**/node_modules/**', '**/dist/**']
export default config
