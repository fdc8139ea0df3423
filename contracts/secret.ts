/** A secret that was read from a file. Printing it, or turning it into JSON, shows nothing. */
export interface Secret {
  /** The bytes, without a trailing line break. */
  reveal(): Buffer;
  toString(): '[secret]';
  toJSON(): '[secret]';
}
