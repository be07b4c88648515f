/** Erases a space by a process that dies at each of the statements in turn. */
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { foundAgain, migrate } from '../../worker/src/objects/store/tables.ts'
import { dump, storageOn } from './host/sql.ts'

const REST = {
  getAlarm: async () => null,
  setAlarm: async () => {},
  deleteAlarm: async () => {},
  sync: async () => {},
}

class Killed extends Error {}

/** A space with rows in every table. */
function filled(): DatabaseSync {
  const db = new DatabaseSync(':memory:')
  migrate(storageOn(db, { statement() {}, committed() {} }, REST), 'first')
  db.exec(`
    INSERT INTO segment VALUES (1, 1, 1, 5, x'01', 0, '[[["k/2",1,0,5,"a",0,0]],[]]');
    INSERT INTO archive VALUES (1, 1, 5, x'01');
    INSERT INTO head VALUES ('k/1', 1, 0, 5, 'a', 0, 0);
    INSERT INTO client VALUES ('a', 's', 1, x'', 5, 0, '', 1);
    INSERT INTO conflict VALUES (1, 'lww', 'kept-client', 1, 0, 0, 5, 0);
    INSERT INTO revoked VALUES ('t', 9, 9, 0);
    INSERT INTO meta VALUES ('import', '{}'), ('names', x'01'), ('config', '{}'), ('passes', '{}');
  `)
  return db
}

/** Erases a space until the process dies at a statement. Returns the number of statements if it did not die. */
function eraseUntil(db: DatabaseSync, fatal: number): number | null {
  let statements = 0
  const watch = {
    statement() {
      statements += 1
      if (statements === fatal) throw new Killed()
    },
    committed() {},
  }
  try {
    foundAgain(storageOn(db, watch, REST), { epoch: 'second', now: 1000, space: 'space' })
    return statements
  } catch (cause) {
    if (cause instanceof Killed) return null
    throw cause
  }
}

test('[SP1] erases a space together with the time of its erasure, or not at all, wherever the process dies', () => {
  const before = dump(filled())
  const whole = filled()
  const statements = eraseUntil(whole, Number.POSITIVE_INFINITY) ?? 0
  expect(statements).toBeGreaterThan(10)
  const after = dump(whole)
  expect(after).toContain('"erased-at",1000')
  expect(after).toContain('"epoch","second"')
  for (const trace of ['k/1', 'k/2', 'AQ==', '"a"', '"t"', 'import', 'names', 'first'])
    expect(after).not.toContain(trace)
  for (let fatal = 1; fatal <= statements; fatal++) {
    const db = filled()
    expect(eraseUntil(db, fatal)).toBeNull()
    expect(dump(db), `statement ${fatal}`).toBe(before)
  }
})
