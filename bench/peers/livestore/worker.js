// LiveStore's sync backend, as its documentation sets it up. Its default storage is the SQLite of the object.
import { makeDurableObject, makeWorker } from '@livestore/sync-cf/cf-worker'

export class Space extends makeDurableObject() {}

export default makeWorker({ syncBackendBinding: 'SPACE' })
