import { build } from 'esbuild'
import { expect, test } from 'vitest'
import { WITHOUT } from '../../../bench/without.ts'
import { altering } from '../../support/alter.ts'

test('npm run bench:costs finds every function that it takes out', async () => {
  const { errors } = await build({
    entryPoints: ['worker/src/index.ts'],
    bundle: true,
    write: false,
    format: 'esm',
    external: ['cloudflare:*'],
    plugins: [altering(Object.values(WITHOUT).flat())],
  })
  expect(errors).toEqual([])
})
