/**
 * The kinds of field that a trace event may have. A field is declared once, with its meaning in words; from the declaration come the value's type
 * (`ValueOf`), the column that holds it in a trace block (trace/columns.ts) and the line in the format's documentation.
 */

/** A field of an event: what it holds (`type`) and what that means (`doc`). */
export interface Field<Type extends string = string> {
  readonly type: Type;
  readonly doc: string;
}

/** A field that holds one of a few names; stored as the name's place in the list, so names are appended, never moved. */
export interface NameField<Name extends string> extends Field<'name'> {
  readonly names: readonly Name[];
}

/** A field that holds a fixed number of u64 values. */
export interface ListField extends Field<'u64s'> {
  readonly length: number;
}

/** The value that a field holds in a decoded event. */
export type ValueOf<F> = F extends { type: 'at' | 'u64' }
  ? bigint
  : F extends { type: 'u8' | 'u16' | 'u32' }
    ? number
    : F extends { type: 'flag' }
      ? boolean
      : F extends { type: 'bytes' }
        ? Uint8Array
        : F extends { type: 'u64s' }
          ? readonly bigint[]
          : F extends { type: 'text' }
            ? string
            : F extends NameField<infer Name>
              ? Name
              : never;

/** The position of an event: how many instructions had retired. Every event has it, stored as an offset from the block's first instruction. */
export const at: Field<'at'> = { type: 'at', doc: 'Count of retired instructions at that moment.' };

export const u8 = (doc: string): Field<'u8'> => ({ type: 'u8', doc });
export const u16 = (doc: string): Field<'u16'> => ({ type: 'u16', doc });
export const u32 = (doc: string): Field<'u32'> => ({ type: 'u32', doc });
export const u64 = (doc: string): Field<'u64'> => ({ type: 'u64', doc });
export const flag = (doc: string): Field<'flag'> => ({ type: 'flag', doc });
export const bytes = (doc: string): Field<'bytes'> => ({ type: 'bytes', doc });
/** A short ASCII text out of few (a device's name): a block stores each text once. */
export const text = (doc: string): Field<'text'> => ({ type: 'text', doc });
export const u64s = (length: number, doc: string): ListField => ({ type: 'u64s', length, doc });
export const name = <const Name extends string>(names: readonly Name[], doc: string): NameField<Name> => ({ type: 'name', names, doc });
