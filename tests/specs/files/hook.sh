#!/bin/sh
# quotes ' and " and \ and % and $ and a tab	here
printf '%s\n' "$1" "100%"
