export * from './attribute.ts';
export * from './element-type.ts';
export * from './graph.ts';
export * from './model.ts';
export * from './node.ts';
export * from './tensor.ts';
export * from './type.ts';
export * from './value.ts';
