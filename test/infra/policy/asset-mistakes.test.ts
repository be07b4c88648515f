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

test('accepts the assets of this checkout, and equal files of one type', async () => {
  const { contents, headers } = await readAssets(process.cwd())
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
  const ofOthers = HEADERS.replace(/^\/\*$/m, '/other/*')
  expect(assetMistakes(files(), ofOthers)).toEqual([
    'The assets are served without "Content-Security-Policy: ". Add it to worker/assets.headers.',
    'The assets are served without "X-Content-Type-Options: nosniff". Add it to worker/assets.headers.',
    expect.stringMatching(/^The assets at \/other\/\* are served with two policies/),
  ])
})

test('refuses a policy of one path beside the policy of all', () => {
  expect(HEADERS).toContain('\n  ! Content-Security-Policy\n')
  expect(assetMistakes(files(), HEADERS.replace('  ! Content-Security-Policy\n', ''))).toEqual([
    'The assets at /console/* are served with two policies, and a browser obeys both. Write "! Content-Security-Policy" before that of their own in worker/assets.headers.',
  ])
})
