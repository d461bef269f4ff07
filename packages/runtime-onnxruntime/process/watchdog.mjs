// Ends the process when its parent is gone: the main thread may be inside a run that never ends.
import { workerData as parent } from 'node:worker_threads';

setInterval(() => {
  if (process.ppid !== parent || !isAlive(parent)) process.kill(process.pid, 'SIGKILL');
}, 500);

/** On Windows an orphan keeps the number of its parent. */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
