#!/bin/bash
# Process 1 of a lab node. Runs in fresh net, mount, pid, uts and ipc namespaces and builds the node's own root:
# the machine's directories bound one by one, plus the node's files, so that nothing outside of the lab changes.
#   node-init.sh NAME NODE_DIR
# NODE_DIR/binds lists "source<TAB>target" to bind over the root; NODE_DIR/init.pid is written when the node is ready.
set -euo pipefail
name=$1 dir=$2

# /proc is still the machine's, so this is our pid as the machine sees it, and our start time (field 22).
read -r stat </proc/self/stat
pid=${stat%% *}
read -r -a fields <<<"${stat##*) }"
started=${fields[19]}

hostname "$name"
mount -t tmpfs -o mode=755 tmpfs /run
new=/run/root
mkdir $new
mount -t tmpfs -o mode=755 tmpfs $new

# Shows the entries of a directory of the machine in a directory of ours that can get further entries.
expose() {
  local from=$1 to=$2 entry
  shift 2 # the rest: entries to leave out
  for entry in "$from"/* "$from"/.[!.]*; do
    [[ " $* " == *" $entry "* ]] && continue
    if [ -L "$entry" ]; then
      cp -P "$entry" "$to/"
    elif [ -d "$entry" ]; then
      mkdir "$to/${entry##*/}" && mount --rbind "$entry" "$to/${entry##*/}"
    elif [ -f "$entry" ]; then
      touch "$to/${entry##*/}" && mount --bind "$entry" "$to/${entry##*/}"
    fi
  done
}
expose '' $new /proc /run /root
mkdir $new/proc $new/run $new/root
mount -t tmpfs -o mode=755 tmpfs $new/run
mount -t tmpfs -o mode=700 tmpfs $new/root
expose /root $new/root
mkdir -p $new/run/{sshd,lock,tmp,vm,gluster} $new/rhev $new/bricks
chmod 1777 $new/run/lock $new/run/tmp

while IFS=$'\t' read -r source target; do
  if [ -d "$source" ]; then
    mkdir -p "$new$target"
  elif [ ! -e "$new$target" ]; then
    touch "$new$target"
  fi
  mount --bind "$source" "$new$target"
done <"$dir/binds"

cd $new
mkdir run/old
pivot_root . run/old
mount -t proc proc /proc
umount -l /run/old
rmdir /run/old
cd /
ip link set lo up

echo "$pid $started" >"$dir/init.pid.new"
mv "$dir/init.pid.new" "$dir/init.pid"

# bash reaps whatever is orphaned in this node; the node ends when this process is killed.
trap '' HUP INT TERM
while :; do
  sleep infinity &
  wait $! || true
done
