import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatCursor } from '../../../worker/src/core/feed/cursor.ts'
import { cursorOfText, parseMessage } from '../../../worker/src/schema/request/live.ts'

const cursors = fc
  .record({
    epoch: fc.stringMatching(/^[0-9a-z]{1,13}$/),
    seq: fc.nat(),
    scan: fc.nat(),
    filter: fc.option(fc.array(fc.string())),
  })
  .map(({ epoch, seq, scan, filter }) => formatCursor(epoch, { seq, scan }, filter))

test('[LV7] reads the cursor of a usual `seen` without the schema', () => {
  fc.assert(
    fc.property(cursors, (cursor) => {
      expect(cursorOfText(JSON.stringify({ type: 'seen', cursor }))).toBe(cursor)
    }),
  )
})

test('[LV10] reads no text as a `seen` that the schema reads otherwise', () => {
  const parts = fc.constantFrom(
    '{"type":"seen"',
    ',"cursor":"',
    'a.1',
    '"}',
    '}',
    '"',
    '\\u0061',
    ' ',
    ',"x":1',
  )
  const texts = fc.array(parts, { maxLength: 8 }).map((list) => list.join(''))
  fc.assert(
    fc.property(fc.oneof(texts, fc.string(), fc.json()), (text) => {
      const cursor = cursorOfText(text)
      if (cursor !== null) expect(parseMessage(text)).toEqual({ ok: true, value: { type: 'seen', cursor } })
    }),
    { numRuns: 2000, examples: [['{"type":"seen","cursor":"a.1"}']] },
  )
})
