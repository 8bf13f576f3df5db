#!/bin/sh
# Pushes an image to ECR: sh push.sh CONTAINER-COMMAND IMAGE REPOSITORY:TAG (make image PUSH=1). Needs the AWS command.
set -eu
command="$1" image="$2" target="$3"
registry="${target%%/*}"
region="$(echo "$registry" | cut -d. -f4)"
aws ecr get-login-password --region "$region" | "$command" login --username AWS --password-stdin "$registry"
"$command" tag "$image" "$target"
"$command" push "$target"
