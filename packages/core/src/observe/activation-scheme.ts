/** How an activation is stored. */
export interface ActivationScheme {
  readonly elementType: 'uint8' | 'int8' | 'uint16' | 'int16' | 'uint4' | 'int4';
  /** Zero point in the middle of the type's range (0 for signed types). */
  readonly symmetric: boolean;
}
