import type { Random } from './random.ts'

/** Texts that JSON may hold, and some that it may not. */
const ODD_TEXTS: readonly string[] = [
  'null',
  'true',
  '[]',
  '{}',
  '""',
  '0',
  '-0',
  '-1',
  '0.5',
  '1e308',
  '1e999',
  '-1e999',
  '9007199254740993',
  '123456789012345678901234567890',
  '1e-400',
  'NaN',
  'Infinity',
  'undefined',
  '01',
  '0x10',
  "'single'",
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"\\u0000"',
  '"\\u202e"',
  '"\u{1f600}"',
  '"\ufeff"',
  '"__proto__"',
  '"constructor"',
  '"toString"',
  '"../../etc"',
  '"\' OR 1=1 --"',
  '"%00"',
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"__proto__":null,"a":1}',
  '{"length":5}',
  '{"toJSON":1}',
  '{"then":1}',
  '{"a":1,"a":2}',
  '[1,]',
  '[,]',
  '{"a"}',
  `"${'x'.repeat(600)}"`,
  `"${'\u00e9'.repeat(300)}"`,
  `${'['.repeat(31)}${']'.repeat(31)}`,
  `${'['.repeat(33)}${']'.repeat(33)}`,
  `${'['.repeat(5_000)}${']'.repeat(5_000)}`,
  `${'{"a":'.repeat(40)}1${'}'.repeat(40)}`,
  `[${'0,'.repeat(2_000)}0]`,
  `{${Array.from({ length: 500 }, (_, index) => `"k${index}":0`).join(',')}}`,
  `[${'{},'.repeat(30_000)}{}]`,
  `[${'0,'.repeat(40_000)}0]`,
  `{${Array.from({ length: 8_000 }, (_, index) => `"k${index}":0`).join(',')}}`,
  `{"${'n'.repeat(90_000)}":0}`,
  `"${'x'.repeat(90_000)}"`,
  `"${'\\u0001'.repeat(15_000)}"`,
  `${'['.repeat(45_000)}${']'.repeat(45_000)}`,
]

const ODD_KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
  'toJSON',
  'then',
  '',
  'length',
  '0',
  'changes',
  'value',
  'base',
  'deleted',
  'collections',
]

/** Makes JSON text of a value in which something was replaced, added, doubled or left out. */
export function mutateJson(value: unknown, by: Random): string {
  const parts = JSON.stringify(value).split(/(?<=[,:[{])|(?=[,\]}])/)
  const place = by.below(parts.length)
  const part = parts[place] ?? ''
  switch (by.below(6)) {
    case 0:
      parts[place] = by.pick(ODD_TEXTS)
      break
    case 1:
      parts[place] = `${part}${by.pick(ODD_TEXTS)}`
      break
    case 2:
      parts.splice(place, 1)
      break
    case 3:
      parts.splice(place, 0, part, ',')
      break
    case 4:
      return withField(value, by)
    default:
      return replaceLeaf(value, by)
  }
  return parts.join('')
}

/** Adds a field to some object, in its text, because `__proto__` cannot be set. */
function withField(value: unknown, by: Random): string {
  const text = JSON.stringify(value)
  const places = Array.from(text.matchAll(/\{/g), ({ index }) => index + 1)
  if (places.length === 0) return `{${text}}`
  const place = by.pick(places)
  const comma = text[place] === '}' ? '' : ','
  return `${text.slice(0, place)}${JSON.stringify(by.pick(ODD_KEYS))}:${by.pick(ODD_TEXTS)}${comma}${text.slice(place)}`
}

/** Makes well-formed JSON with something else at some path. */
function replaceLeaf(value: unknown, by: Random): string {
  const text = JSON.stringify(value)
  const leaves = [...text.matchAll(/"(?:[^"\\]|\\.)*"(?!:)|-?\d[\d.eE+-]*|true|false|null/g)]
  if (leaves.length === 0) return by.pick(ODD_TEXTS)
  const leaf = by.pick(leaves)
  return text.slice(0, leaf.index) + by.pick(ODD_TEXTS) + text.slice(leaf.index + leaf[0].length)
}

/** Flips, removes, doubles or inserts some bytes. */
export function mutateBytes(bytes: Uint8Array, by: Random): Uint8Array<ArrayBuffer> {
  const mutated = Array.from(bytes)
  for (let times = 1 + by.below(4); times > 0; times--) {
    const place = by.below(mutated.length + 1)
    const count = 1 + by.below(8)
    switch (by.below(5)) {
      case 0:
        mutated[place] = by.below(256)
        break
      case 1:
        mutated.splice(place, count)
        break
      case 2:
        mutated.splice(place, 0, ...Array.from({ length: count }, () => by.below(256)))
        break
      case 3:
        mutated.splice(place, 0, ...mutated.slice(place, place + count))
        break
      default:
        mutated.length = Math.min(mutated.length, place)
    }
  }
  return Uint8Array.from(mutated, (byte) => byte ?? 0)
}

const PATH_TAILS = [
  '/',
  '//',
  '/x',
  '%00',
  '%2f',
  '%2e%2e',
  '/../status',
  '/.',
  ';x=1',
  '%',
  '%zz',
  '%ff',
  '.json',
  '%20',
  '\\',
  '*',
  ':id',
  '#',
]
const QUERIES = [
  '?',
  '?a',
  '?a=1&a=2',
  '?__proto__=1',
  '?constructor=1',
  '?key=%ff%fe',
  '?key=%00',
  '?key=%ed%a0%80',
  '?cursor=',
  '?limit=1e3',
  '?limit=-1',
  '?limit=99999999999999999999',
  '?after=0x1',
  '?key[]=1',
  '?key=a&collections=,,,',
  '?%00=1',
  '?key=%F0%9F%98%80',
  '?line=0',
  '?line=2',
  '?open=0',
  '?before=..',
  '?cursor=e.1-5.x',
  `?${Array.from({ length: 1_500 }, (_, index) => index.toString(36)).join('&')}`,
  `?collections=${Array.from({ length: 1_500 }, (_, index) => index.toString(36)).join(',')}`,
  `?cursor=${'x'.repeat(6_000)}`,
  `?${'n'.repeat(6_000)}=1`,
]

/** Changes, adds or respells a part of a path. */
export function mutatePath(path: string, by: Random): string {
  const place = 1 + by.below(path.length)
  switch (by.below(7)) {
    case 0:
      return path + by.pick(PATH_TAILS)
    case 1:
      return path.split('?')[0] + by.pick(QUERIES)
    case 2:
      return `${path}${path.includes('?') ? '&' : '?'}${by.pick(QUERIES).slice(1)}`
    case 3:
      return path.slice(0, place) + percentEncoded(path[place] ?? 'a') + path.slice(place + 1)
    case 4:
      return path.slice(0, place) + by.pick(PATH_TAILS) + path.slice(place)
    case 5:
      return path.slice(0, place) + path.slice(place).toUpperCase()
    default:
      return `${path.split('?')[0]}?key=${'k'.repeat(by.pick([1, 511, 512, 513, 4_000]))}`
  }
}

function percentEncoded(character: string): string {
  return `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`
}

const HEADERS: readonly (readonly [name: string, value: string])[] = [
  ['content-type', 'text/plain'],
  ['content-type', 'application/json; charset=utf-16'],
  ['content-type', 'APPLICATION/JSON ; a="b;c"'],
  ['content-type', 'application/json, text/html'],
  ['content-type', ''],
  ['content-type', 'application/x-ndjson'],
  ['content-encoding', 'gzip'],
  ['content-encoding', 'identity'],
  ['x-request-id', 'a'.repeat(65)],
  ['x-request-id', '<script>'],
  ['x-request-id', '__proto__'],
  ['if-none-match', '*'],
  ['if-none-match', 'W/"x", "y", '],
  ['if-none-match', '"'.repeat(3_000)],
  ['if-none-match', ',\t'.repeat(1_500)],
  ['origin', 'null'],
  ['origin', 'https://evil.example'],
  ['origin', 'http://localhost:3000'],
  ['authorization', 'Basic dXNlcjpwYXNz'],
  ['authorization', 'Bearer'],
  ['authorization', 'Bearer  '],
  ['authorization', `Bearer ${'a.'.repeat(3_000)}a`],
  ['accept', 'text/html'],
  ['accept-encoding', 'br;q=1.0, *;q=0'],
  ['cookie', 'session=1; __proto__=2'],
  ['x-http-method-override', 'DELETE'],
  ['x-forwarded-host', 'evil.example'],
  ['x-original-url', '/api/tokens'],
  ['range', 'bytes=0-1'],
  ['if-match', '"x"'],
  ['prefer', 'return=minimal'],
  ['forwarded', 'for=evil;host=evil'],
  ['cf-connecting-ip', '__proto__'],
]

/** Changes or removes one header. */
export function mutateHeaders(
  headers: Readonly<Record<string, string>>,
  by: Random,
): Readonly<Record<string, string>> {
  if (by.below(5) === 0) {
    const gone = by.pick(Object.keys(headers))
    return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== gone))
  }
  const [name, value] = by.pick(HEADERS)
  return { ...headers, [name]: value }
}
