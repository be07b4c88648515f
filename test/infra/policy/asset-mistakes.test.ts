import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { assetMistakes } from '../../../infra/policy/asset-mistakes.ts'
import { readAssets } from '../../../infra/program/assets.ts'

const HEADERS = readFileSync('worker/assets.headers', 'utf8')

function files(
  ...texts: readonly (readonly [path: string, text: string])[]
): ReadonlyMap<string, Uint8Array> {
  return new Map(texts.map(([path, text]) => [path, Buffer.from(text)]))
}

test('accepts the assets of this checkout, and equal files of one type', () => {
  const { contents, headers } = readAssets('.')
  expect(assetMistakes(contents, headers)).toEqual([])
  expect(assetMistakes(files(['/a.css', 'x'], ['/b/a.css', 'x'], ['/api.html', 'y']), HEADERS)).toEqual([])
})

test.each([
  ['/_headers', /^The asset \/_headers would be uploaded and served/],
  ['/_redirects', /^The asset \/_redirects would be/],
  ['/.assetsignore', /^The asset \/\.assetsignore would be/],
  ['/console/.DS_Store', /^The asset \/console\/\.DS_Store would be/],
  ['/console.js.map', /^The asset \/console\.js\.map has an unknown type\. Known types: \.css \.html/],
  ['/robots.txt', /^The asset \/robots\.txt has an unknown type/],
  ['/INDEX.HTML', /^The asset \/INDEX\.HTML has an unknown type/],
  ['/api/openapi.json', /^The asset \/api\/openapi\.json hides a path of the API/],
])('refuses the asset %s', (path, mistake) => {
  expect(assetMistakes(files([path, 'x']), HEADERS)).toEqual([expect.stringMatching(mistake)])
})

test('refuses equal files of two types, and headers without their two protections', () => {
  expect(assetMistakes(files(['/a.css', 'x'], ['/b.js', 'x']), HEADERS)).toEqual([
    'The assets /a.css and /b.js are equal, and would be served as one type. Change one of them.',
  ])
  expect(assetMistakes(files(), '')).toHaveLength(2)
})
