// PouchDB's HTTP server over LevelDB, in a process of its own. Prints its port, and ends with the process that started it.
import express from 'express'
import expressPouchDb from 'express-pouchdb'
import PouchDB from 'pouchdb'

const [, , folder] = process.argv
const Database = PouchDB.defaults({ prefix: `${folder}/` })
const app = express()
app.use(
  '/',
  expressPouchDb(Database, { mode: 'minimumForPouchDB', inMemoryConfig: true, logPath: `${folder}/log` }),
)
const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port))
process.stdin.resume().on('end', () => process.exit())
