/* enter PID DIRECTORY COMMAND [ARG...]: runs COMMAND inside the namespaces of process PID, as if it had been started
 * in place of this process: same stdio, environment and terminal, its exit status (or its death by signal) is ours,
 * signals sent to us reach it, and it is killed when we are killed.
 *
 * nsenter(1) does not do: with --pid it forks, then a signal to nsenter ends nsenter and leaves the command running. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int fail(const char *what, int status) {
  fprintf(stderr, "enter: %s: %s\n", what, strerror(errno));
  return status;
}

static int join(const char *pid) {
  /* The mount namespace last: the others are opened through this machine's /proc. */
  const char *kinds[] = {"net", "uts", "ipc", "pid", "mnt"};
  int fds[5];
  for (int k = 0; k < 5; k++) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/ns/%s", pid, kinds[k]);
    fds[k] = open(path, O_RDONLY | O_CLOEXEC);
    if (fds[k] < 0) return fail(path, 125);
  }
  for (int k = 0; k < 5; k++)
    if (setns(fds[k], 0) < 0) return fail(kinds[k], 125);
  return 0;
}

/* From the terminal (Ctrl-C, resize) the command gets a signal itself, being in the same process group. */
static int from_terminal(const siginfo_t *got) { return got->si_code == SI_KERNEL; }

static int end_like(int status) {
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  int number = WTERMSIG(status);
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  sigset_t only;
  sigemptyset(&only);
  sigaddset(&only, number);
  signal(number, SIG_DFL);
  raise(number);
  sigprocmask(SIG_UNBLOCK, &only, NULL);
  return 128 + number;
}

static int stand_in_for(pid_t command, const sigset_t *all) {
  for (;;) {
    siginfo_t got;
    int number = sigwaitinfo(all, &got), status;
    if (number < 0) continue;
    if (number != SIGCHLD) {
      if (!from_terminal(&got)) kill(command, number);
      continue;
    }
    pid_t changed;
    while ((changed = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
      if (changed != command) continue;
      if (!WIFSTOPPED(status)) return end_like(status);
      raise(SIGSTOP);
      kill(command, SIGCONT);
    }
  }
}

int main(int argc, char **argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: enter PID DIRECTORY COMMAND [ARG...]\n");
    return 125;
  }
  int failed = join(argv[1]);
  if (failed) return failed;
  if (chdir(argv[2]) < 0 && chdir("/") < 0) return fail(argv[2], 125);

  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, &before);
  pid_t command = fork();
  if (command < 0) return fail("fork", 125);
  if (command == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    execvp(argv[3], argv + 3);
    return fail(argv[3], errno == ENOENT ? 127 : 126);
  }
  return stand_in_for(command, &all);
}
