import { copyFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A folder with the model of a task and what turns its data into inputs, as a user would have them. Returns the model. */
export function stageTask(task, folder) {
  const model = join(folder, 'model.onnx');
  copyFileSync(task.model(), model);
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'config.json']) {
    const file = task.tokenizer && join(task.tokenizer(), name);
    if (file && existsSync(file)) copyFileSync(file, join(folder, name));
  }
  const config = join(folder, 'preprocessor_config.json');
  if (task.preprocessor) copyFileSync(task.preprocessor(), config);
  if (task.preprocessorConfig) writeFileSync(config, JSON.stringify(task.preprocessorConfig));
  return model;
}
