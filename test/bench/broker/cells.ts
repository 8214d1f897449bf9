/** What is measured: one cell for each load. A cell's name is a path such as `produce/100/16k/all/lz4`, and its parts are what `--cells` picks by. */

export type Kind = 'produce' | 'consume' | 'paced'

export interface Cell {
  readonly kind: Kind
  readonly name: string
  readonly recordBytes: number
  readonly batchBytes: number
  readonly acks: '1' | 'all'
  readonly compression: string
  /** Records a second; 0 for as fast as it goes. */
  readonly rate: number
  readonly records: number
}

const RECORDS: Readonly<Record<number, number>> = { 100: 1_500_000, 1024: 300_000 }
const RECORD_SIZES = [100, 1024]
const BATCH_SIZES = [16 << 10, 256 << 10]
const CODECS = ['none', 'lz4', 'zstd']
const ACKS = ['1', 'all'] as const
export const PACE = 10_000
const PACED_SECONDS = 10
/** The share of a full run that `--quick` sends. */
const QUICK_SHARE = 0.25

type Load = Pick<Cell, 'recordBytes' | 'batchBytes'> & Partial<Pick<Cell, 'acks' | 'compression'>>

const measured: readonly Cell[] = [
  ...loads().flatMap(load => ACKS.map(acks => cell('produce', { ...load, acks }))),
  ...ACKS.map(acks => cell('paced', { recordBytes: 100, batchBytes: 16 << 10, acks })),
  ...loads().map(load => cell('consume', load))
]

export interface CellOptions {
  readonly quick: boolean
  /** Such as `produce/1024,lz4`: a cell is taken when it has all parts of one of these. All cells when there is none. */
  readonly filters: readonly string[]
}

/** Quick ones are short, and those of acks=1 are left out unless they are asked for. */
export function cellsOf({ quick, filters }: CellOptions): readonly Cell[] {
  const wanted = filters.map(filter => filter.split('/'))
  return measured
    .filter(({ name, acks }) => {
      const parts = name.split('/')
      if (wanted.length === 0) return !(quick && acks === '1')
      return wanted.some(filter => filter.every(part => parts.includes(part)))
    })
    .map(one => (quick ? { ...one, records: one.records * QUICK_SHARE } : one))
}

/** What the parts of the cells' names may be. */
export const partsOfNames = (): ReadonlySet<string> => new Set(measured.flatMap(({ name }) => name.split('/')))

function loads(): Load[] {
  return RECORD_SIZES.flatMap(recordBytes =>
    BATCH_SIZES.flatMap(batchBytes => CODECS.map(compression => ({ recordBytes, batchBytes, compression })))
  )
}

function cell(kind: Kind, load: Load): Cell {
  const { recordBytes, batchBytes, acks = 'all', compression = 'none' } = load
  const rate = kind === 'paced' ? PACE : 0
  const name = [kind, recordBytes, `${batchBytes >> 10}k`, acks, compression].join('/')
  const records = rate > 0 ? rate * PACED_SECONDS : RECORDS[recordBytes]!
  return { kind, name, recordBytes, batchBytes, acks, compression, rate, records }
}
