import { expect, test } from 'vitest'
import { lineReader } from '../../../worker/src/objects/transfer/line-reader.ts'
import { device } from '../../support/worker/client.ts'
import { exportOf, linesOf, newSpace, upload } from '../../support/worker/imports.ts'

test('[IM6] names a bad line, keeps the lines before it, and continues with a repaired file', async () => {
  const good = linesOf(exportOf([{ key: 'k/1', value: 1 }]))
  const [header = '', entry = '', end = ''] = good
  const bad: [string[], number, RegExp][] = [
    [['{"type":"header"}'], 1, /format/],
    [[header.replace('"version":1', '"version":2')], 1, /version/],
    [[header, entry, 'x'], 3, /JSON/],
    [[header, entry, '{"key":1}'], 3, /key/],
    [[header, entry, entry.replace('k/1', '/')], 3, /invalid-key/],
    [[header, entry, entry.replace('"value":1', '"value":"\\ud800"')], 3, /lone-surrogate/],
    [[header, entry, entry.replace(',"value":1', '')], 3, /missing-value/],
    [
      [header, entry, entry.replace('"value":1', `"value":${'['.repeat(129)}${']'.repeat(129)}`)],
      3,
      /too-deep/,
    ],
    [[header, entry, entry.replace('"value":1', `"value":"${'x'.repeat(300_000)}"`)], 3, /value-too-large/],
    [[header, entry, 'x'.repeat(1_100_000)], 3, /longer than/],
    [[header, entry, end.replace('"entries":1', '"entries":2')], 3, /counts 2 entries, 1 came/],
    [[header, entry, end, entry], 4, /follows the end/],
  ]
  for (const [lines, line, detail] of bad) {
    const { body } = await upload((await newSpace()).a, lines.join('\n'))
    expect(body, lines.join('\n').slice(0, 300)).toMatchObject({ status: 422, code: 'invalid-line', line })
    expect(body.detail).toMatch(detail)
  }
  const { a } = await newSpace()
  const many = Array.from({ length: 600 }, (_, n) => entry.replace('k/1', `k/${n}`))
  expect((await upload(a, [header, ...many, 'x'].join('\n'))).body).toMatchObject({ line: 602 })
  const rest = [...many, end].slice(600).join('\n').replace('"entries":1', '"entries":600')
  expect((await upload(a, rest, '?line=603')).body).toMatchObject({ code: 'import-gap', expected: 602 })
  const mended = [header, ...many, end.replace('"entries":1', '"entries":600')].join('\n')
  expect((await upload(a, mended)).body).toMatchObject({ entries: 600, finished: true })
  expect((await upload((await newSpace()).a, new Uint8Array([0xff, 0x0a]))).body.code).toBe('not-utf8')
})

test('[IM7] requires space:admin and NDJSON', async () => {
  const reader = await device()
  expect((await upload(reader, exportOf([]))).body.code).toBe('forbidden-scope')
  const { a } = await newSpace()
  expect((await upload(a, exportOf([]), '', 'application/json')).body).toMatchObject({
    code: 'unsupported-media-type',
  })
  expect((await upload(a, exportOf([]), '?line=0')).status).toBe(422)
})

test('[SC14] refuses a file of line ends only, or with a line of far too many fields, like any bad line', async () => {
  const wide = JSON.stringify(Object.fromEntries(Array.from({ length: 80_000 }, (_, n) => [`f${n}`, 0])))
  const [header = ''] = linesOf(exportOf([]))
  for (const [file, line] of [
    ['\n'.repeat(2_000_000), 1],
    [`${header}${'\n'.repeat(2_000_000)}`, 2],
    [`${header}\n${wide}\n`, 2],
  ] as const) {
    const { body } = await upload((await newSpace()).a, file)
    expect(body).toMatchObject({ status: 422, code: 'invalid-line', line })
    expect(body.detail.length).toBeLessThan(200)
  }
})

test('[SC14] splits a body chunk of any size into lines', async () => {
  const part = new TextEncoder().encode('x\n'.repeat(1_000_000))
  const read = lineReader(new Blob([part]).stream().getReader(), 1, Date.now)
  const one = lineReader(
    new ReadableStream({ start: (stream) => stream.enqueue(part) }).getReader(),
    1,
    Date.now,
  )
  for (const lines of [await read(), await one()])
    expect(lines).toEqual({ ok: true, value: Array(500).fill('x') })
})

test('[IM11] skips what editors and pipes add to an export, also in a part of one', async () => {
  const deep = JSON.parse(`${'['.repeat(128)}${']'.repeat(128)}`)
  const entries = [{ value: 1, timestamp: 5.75 }, { value: deep }]
  const lines = linesOf(exportOf(entries.map((entry, n) => ({ key: `k/${n + 1}`, ...entry }))))
  const done = { finished: true, entries: 2, line: 4 }
  const files = [
    `\ufeff${lines.join('\n')}`,
    `\ufeff${lines.join('\r\n')}\r\n`,
    `${lines.join('\n')}\n\n`,
    `${lines.join('\r\n')}\r\n\r\n \t\r\n`,
    `${lines.join('\n')}${'\n'.repeat(101)}`,
    lines.map((line) => line.replace('{"type":', '{ "type": ')).join('\n'),
  ]
  for (const file of files) {
    const { a } = await newSpace()
    expect((await upload(a, file)).body, JSON.stringify(file.slice(-30))).toMatchObject(done)
    // The import is repeated, whole or from its first line on.
    expect((await upload(a, file, '?line=1')).body).toMatchObject(done)
    expect((await a.get('/api/entries?key=k/1')).body).toMatchObject({ value: 1, timestamp: 5 })
  }
  const { a } = await newSpace()
  await upload(a, `\ufeff${lines.slice(0, 2).join('\n')}\n\n`)
  expect((await upload(a, `\ufeff${lines.slice(2).join('\n')}\n\n`, '?line=3')).body).toMatchObject(done)
  const bytes = new TextEncoder().encode(`\ufeff${lines.join('\r\n')}\r\n\r\n`)
  const drops = new ReadableStream({
    start(stream) {
      for (const byte of bytes) stream.enqueue(Uint8Array.of(byte))
      stream.close()
    },
  })
  expect((await upload((await newSpace()).a, drops)).body).toMatchObject(done)
})

test('[IM11] refuses a blank line before another line, and far too many at the end', async () => {
  const lines = linesOf(exportOf([{ key: 'k/1', value: 1 }]))
  const [header, entry, end] = lines
  for (const [file, line] of [
    [[header, '', entry, end].join('\n'), 2],
    [['', header, entry, end].join('\n'), 1],
    [[header, entry, '\r', end].join('\n'), 3],
    [`${lines.join('\n')}${'\n'.repeat(102)}`, 4],
    [[header, entry, `\ufeff\ufeff${end}`].join('\n'), 3],
  ] as const) {
    const { body } = await upload((await newSpace()).a, file)
    expect(body, JSON.stringify(file)).toMatchObject({ code: 'invalid-line', line })
  }
})
