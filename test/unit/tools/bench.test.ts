import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { WITHOUT } from '../../../bench/without.ts'

test.each(Object.entries(WITHOUT))(
  'npm run bench:costs finds every line of %s that it takes out',
  (_, lines) => {
    for (const { file, find } of lines) {
      const parts = readFileSync(`worker/src/${file}`, 'utf8').split(find)
      expect(parts, `${file}: ${find}`).toHaveLength(2)
    }
  },
)
